import { compareBytes, equalBytes } from '../../bytes/compare.ts'
import { concatBytes } from '../../bytes/concat.ts'
import { GitError } from '../../errors.ts'
import { decodeEscapedText, encodeEscapedText } from '../../object/escaped-text.ts'
import { isTreeMode, MODE_TYPE_MASK } from '../../object/file-mode.ts'
import { encodeObjectId, type ObjectId } from '../../object/object-id.ts'
import { TREE } from '../../object/object-type.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import type { ObjectView } from '../../odb/object-view.ts'

/** One side of a changed path. */
export interface DiffSide {
  readonly mode: number
  readonly id: ObjectId
}

/** One path that differs between two trees. Directories are looked into and never stand here themselves. */
export interface DiffEntry {
  /** Escaped text (object/escaped-text.ts). */
  readonly path: string
  /** `type-changed`: between file, symbolic link and submodule. */
  readonly status: 'added' | 'deleted' | 'modified' | 'type-changed'
  /** `undefined` where the path was added. */
  readonly old: DiffSide | undefined
  /** `undefined` where the path was deleted. */
  readonly new: DiffSide | undefined
}

export interface DiffTreesOptions {
  /** Stop when more than this many paths are found. Default: no limit. */
  readonly maxEntries?: number
}

export interface TreeDiff {
  /** Sorted by path, by bytes. */
  readonly entries: readonly DiffEntry[]
  /** Whether there is more than `maxEntries`; which paths are here is then left to chance. */
  readonly isTruncated: boolean
}

/** A directory that differs, to be looked into. */
interface OpenPair {
  readonly path: Uint8Array
  readonly old: Uint8Array | undefined
  readonly new: Uint8Array | undefined
}

interface FoundEntry {
  readonly path: Uint8Array
  readonly entry: DiffEntry
}

interface Side {
  readonly mode: number
  readonly id: Uint8Array
}

const SLASH = 0x2f

/**
 * Compares two trees path by path, as `git diff-tree -r` does. Directories of one level are read together.
 *
 * @param oldTree raw id; `undefined` for an empty tree.
 * @param newTree likewise.
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function diffTrees(
  view: ObjectView,
  oldTree: Uint8Array | undefined,
  newTree: Uint8Array | undefined,
  options: DiffTreesOptions = {},
): Promise<TreeDiff> {
  const { maxEntries = Infinity } = options
  const found: FoundEntry[] = []
  const root: OpenPair = { path: new Uint8Array(0), old: oldTree, new: newTree }
  let open = oldTree !== undefined && newTree !== undefined && equalBytes(oldTree, newTree) ? [] : [root]
  while (open.length > 0 && found.length <= maxEntries) {
    const next: OpenPair[] = []
    let waiting = false
    for (const pair of open) {
      const oldBody = pair.old && tryTree(view, pair.old)
      const newBody = pair.new && tryTree(view, pair.new)
      const isReady =
        (pair.old === undefined || oldBody !== undefined) && (pair.new === undefined || newBody !== undefined)
      if (isReady) comparePair(view, pair.path, oldBody, newBody, found, next)
      else next.push(pair)
      waiting ||= !isReady
    }
    if (waiting) await view.settle()
    open = next
  }
  found.sort((left, right) => compareBytes(left.path, right.path))
  const isTruncated = found.length > maxEntries
  return { entries: found.slice(0, maxEntries).map(({ entry }) => entry), isTruncated }
}

function tryTree(view: ObjectView, id: Uint8Array): Uint8Array | undefined {
  const object = view.tryRead(id)
  if (object === undefined || object?.type === TREE) return object?.body
  const hex = encodeObjectId(id, 0, view.format)
  const code = object === null ? 'MISSING_OBJECT' : 'CORRUPT_OBJECT'
  throw new GitError(code, `tree ${hex} is ${object === null ? 'missing' : 'an object of another type'}`, {
    details: { id: hex, type: 'tree' },
  })
}

/** Compares the entries of one directory by name; what is a directory on one side and something else on the other is both. */
function comparePair(
  view: ObjectView,
  directory: Uint8Array,
  oldBody: Uint8Array | undefined,
  newBody: Uint8Array | undefined,
  found: FoundEntry[],
  next: OpenPair[],
): void {
  const before = listSides(view, oldBody)
  const after = listSides(view, newBody)
  for (const [key, old] of before) {
    const now = after.get(key)
    if (now !== undefined && now.mode === old.mode && equalBytes(now.id, old.id)) continue
    addChange(view, directory, key, old, now, found, next)
  }
  for (const [key, now] of after) {
    if (!before.has(key)) addChange(view, directory, key, undefined, now, found, next)
  }
}

/** Entries by name as escaped text, with a slash behind it for a directory, as git orders them. */
function listSides(view: ObjectView, body: Uint8Array | undefined): Map<string, Side> {
  const sides = new Map<string, Side>()
  if (body === undefined) return sides
  const cursor = new TreeCursor(view.format.idLength)
  cursor.reset(body)
  while (cursor.next()) {
    const { mode, nameStart, nameEnd, idAt } = cursor
    const name = decodeEscapedText(body.subarray(nameStart, nameEnd))
    const id = body.subarray(idAt, idAt + view.format.idLength)
    sides.set(isTreeMode(mode) ? `${name}/` : name, { mode, id })
  }
  return sides
}

function addChange(
  view: ObjectView,
  directory: Uint8Array,
  key: string,
  old: Side | undefined,
  now: Side | undefined,
  found: FoundEntry[],
  next: OpenPair[],
): void {
  const isDirectory = key.endsWith('/')
  const name = encodeEscapedText(isDirectory ? key.slice(0, -1) : key)
  const path = directory.length === 0 ? name : concatBytes([directory, Uint8Array.of(SLASH), name])
  if (isDirectory) {
    if (old === undefined || now === undefined || !equalBytes(old.id, now.id))
      next.push({ path, old: old?.id, new: now?.id })
    return
  }
  const side = (one: Side): DiffSide => ({ mode: one.mode, id: encodeObjectId(one.id, 0, view.format) })
  found.push({
    path,
    entry: {
      path: decodeEscapedText(path),
      status: statusOf(old, now),
      old: old && side(old),
      new: now && side(now),
    },
  })
}

function statusOf(old: Side | undefined, now: Side | undefined): DiffEntry['status'] {
  if (old === undefined) return 'added'
  if (now === undefined) return 'deleted'
  return (old.mode & MODE_TYPE_MASK) === (now.mode & MODE_TYPE_MASK) ? 'modified' : 'type-changed'
}
