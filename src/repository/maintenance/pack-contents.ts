import { GitError } from '../../errors.ts'
import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import { isGitlinkMode } from '../../object/file-mode.ts'
import { IdTable } from '../../object/id-table.ts'
import { TREE, type ObjectType } from '../../object/object-type.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import { extendPathHash } from '../../pack/path-hash.ts'
import { Turns } from './turns.ts'

/** Whether the object with the raw id at `bytes[at]` is meant. */
export type IdPredicate = (bytes: Uint8Array, at: number) => boolean

/** Asks whether one of these packs has an object. */
export function anyPackHas(packs: readonly PackFile[]): IdPredicate {
  return (bytes, at) => packs.some((pack) => pack.find(bytes, at) >= 0)
}

/**
 * Collects the objects of some packs and loose objects, each once, in the order in which they are stored.
 *
 * @param loose raw ids side by side.
 * @throws GitError `CONFLICT` when a pack has gone meanwhile, `CORRUPT_PACK`; the signal's reason when aborted
 */
export async function collectContents(
  view: ObjectView,
  packs: readonly PackFile[],
  loose: Uint8Array,
  isMeant: IdPredicate,
  signal: AbortSignal,
): Promise<NamedEnumeration> {
  const { idLength } = view.format
  const objects = new IdTable(idLength)
  const types: ObjectType[] = []
  const turns = new Turns(signal)
  for (const pack of packs) {
    await pinPack(view, pack)
    const { index } = pack
    for (const rank of index.packOrder) {
      if (turns.isDue) await turns.take()
      const at = index.idAt(rank)
      if (pack.mask?.has(rank) === false || !isMeant(index.bytes, at) || objects.has(index.bytes, at))
        continue
      let type = pack.tryType(rank)
      while (type === undefined) {
        await view.settle()
        type = pack.tryType(rank)
      }
      objects.add(index.bytes, at)
      types.push(type)
    }
  }
  for (let at = 0; at < loose.length; at += idLength) {
    if (turns.isDue) await turns.take()
    if (!isMeant(loose, at) || objects.has(loose, at)) continue
    const id = loose.slice(at, at + idLength)
    let type = view.tryType(id)
    while (type === undefined) {
      await view.settle()
      type = view.tryType(id)
    }
    // Somebody else has removed it: it was packed, or its time was over.
    if (type === null) continue
    objects.add(id)
    types.push(type)
  }
  return { objects, types: Uint8Array.from(types), pathHashes: new Uint32Array(types.length) }
}

/**
 * Keeps a pack in the view that is going to be read from end to end: one that is gone leaves the view, which then waits for it in vain.
 *
 * @throws GitError `CONFLICT` when it has gone meanwhile
 */
export async function pinPack(view: ObjectView, pack: PackFile): Promise<void> {
  if (await view.pin(pack)) return
  const { name } = pack
  throw new GitError(
    'CONFLICT',
    `${name} was removed while it was read; its objects are in another pack now`,
    { details: { pack: name } },
  )
}

/**
 * Fills in the hashes of paths by looking into the trees among the objects. The name of an entry stands for its path: the hash is made of
 * the end of the path in any case.
 */
export async function nameByTrees(
  view: ObjectView,
  { objects, types, pathHashes }: NamedEnumeration,
  signal: AbortSignal,
): Promise<void> {
  const cursor = new TreeCursor(view.format.idLength)
  const turns = new Turns(signal)
  for (let ordinal = 0; ordinal < objects.size; ordinal++) {
    if (types[ordinal] !== TREE) continue
    if (turns.isDue) await turns.take()
    const id = objects.view(ordinal)
    let tree = view.tryRead(id)
    while (tree === undefined) {
      await view.settle()
      tree = view.tryRead(id)
    }
    if (tree?.type !== TREE) continue
    cursor.reset(tree.body)
    while (cursor.next()) {
      if (isGitlinkMode(cursor.mode)) continue
      const entry = objects.find(cursor.body, cursor.idAt)
      if (entry >= 0 && pathHashes[entry] === 0)
        pathHashes[entry] = extendPathHash(0, cursor.body, cursor.nameStart, cursor.nameEnd)
    }
  }
}

/** Those of some objects that are meant. */
export function restrictContents(contents: NamedEnumeration, isMeant: IdPredicate): NamedEnumeration {
  const { idLength } = contents.objects
  const objects = new IdTable(idLength, contents.objects.size)
  const types = new Uint8Array(contents.objects.size)
  const pathHashes = new Uint32Array(contents.objects.size)
  const { ids } = contents.objects
  for (let ordinal = 0; ordinal < contents.objects.size; ordinal++) {
    if (!isMeant(ids, ordinal * idLength)) continue
    const kept = objects.add(ids, ordinal * idLength)
    types[kept] = contents.types[ordinal]!
    pathHashes[kept] = contents.pathHashes[ordinal]!
  }
  const count = objects.size
  return { objects, types: types.subarray(0, count), pathHashes: pathHashes.subarray(0, count) }
}
