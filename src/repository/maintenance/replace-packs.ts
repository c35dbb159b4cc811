import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeObjectId } from '../../object/object-id.ts'
import type { PackFile } from '../../odb/pack-file.ts'
import type { Repository } from '../repository.ts'
import { discardMade, type MadePack } from './made-pack.ts'
import { anyPackHas, type IdPredicate } from './pack-contents.ts'
import { writePackNote, type PackNote } from './pack-note.ts'
import type { MaintainedPack, RepositoryState } from './repository-state.ts'

/** New packs and the packs whose objects they take over. */
export interface PackReplacement {
  readonly main: MadePack | undefined
  /** The note of the main pack. */
  readonly note?: PackNote
  /** Objects that nothing reaches. */
  readonly unreachable?: MadePack | undefined
  readonly dropped: readonly MaintainedPack[]
  /** Objects that are given up. */
  readonly isGivenUp?: IdPredicate
}

/**
 * Puts new packs in the place of old ones, in one step of the storage: no object that was there is missing at any moment, whoever else
 * adds and drops packs meanwhile. Then writes down what is derived from the new ones.
 *
 * @throws GitError `CORRUPT_PACK` when the new packs lack an object: nothing has changed then.
 */
export async function replacePacks(
  { storage, format }: Repository,
  state: RepositoryState,
  replacement: PackReplacement,
): Promise<void> {
  const { main, unreachable, dropped, note, isGivenUp } = replacement
  const made = [main, unreachable].filter((pack) => pack !== undefined)
  try {
    assertCovered(state, replacement, format, isGivenUp)
    await storage.commit({
      addPacks: made.map(({ staged }) => staged),
      dropPacks: dropped.map(({ description }) => description.name),
    })
  } catch (error) {
    await discardMade(made)
    throw error
  }
  if (unreachable !== undefined) {
    const { name } = unreachable.staged
    const { packIndex } = unreachable.indexing
    const formats = storage.maintenance?.gitFiles?.formats
    if (formats !== undefined) {
      const now = new Uint32Array(packIndex.objectCount).fill(Math.floor(Date.now() / 1000))
      await storage.writeDerived(name, 'mtimes', formats.encodeObjectTimes(now, packIndex, format))
    }
    await writePackNote(storage, name, { kind: 'unreachable' })
  }
  for (const { staged, indexing } of made) {
    if (indexing.reachability !== undefined)
      await storage.writeDerived(staged.name, 'reachability', indexing.reachability)
  }
  if (main !== undefined && note !== undefined) await writePackNote(storage, main.staged.name, note)
}

/** Compares what is dropped with what takes its place, id by id: the last chance to notice a mistake before data is gone. */
function assertCovered(
  { pinned }: RepositoryState,
  { main, unreachable, dropped }: PackReplacement,
  format: ObjectFormat,
  isGivenUp: IdPredicate = () => false,
): void {
  const indexes = [main, unreachable]
    .filter((pack) => pack !== undefined)
    .map((pack) => pack.indexing.packIndex)
  const isPinned = anyPackHas(pinned.map(({ file }) => file))
  for (const { file } of dropped) {
    const { bytes, objectCount } = file.index
    for (let rank = 0; rank < objectCount; rank++) {
      if (file.mask?.has(rank) === false) continue
      const at = file.index.idAt(rank)
      if (indexes.some((index) => index.find(bytes, at) >= 0)) continue
      if (!isPinned(bytes, at) && !isGivenUp(bytes, at)) throw uncovered(file, rank, format)
    }
  }
}

function uncovered(file: PackFile, rank: number, format: ObjectFormat): GitError {
  const id = encodeObjectId(file.index.id(rank), 0, format)
  return new GitError(
    'CORRUPT_PACK',
    `object ${id} of ${file.name} is not in the packs that were to replace it; nothing was changed`,
    { details: { id, pack: file.name } },
  )
}

/** Removes loose objects that are packed now, after the step that packed them. How many there were. */
export async function removePackedLoose(
  { storage, format }: Repository,
  { loose, pinned }: RepositoryState,
  { main, unreachable, isGivenUp }: Omit<PackReplacement, 'dropped'>,
): Promise<number> {
  const { maintenance } = storage
  if (maintenance?.removeLoose === undefined || loose.length === 0) return 0
  const indexes = [main, unreachable]
    .filter((pack) => pack !== undefined)
    .map((pack) => pack.indexing.packIndex)
  const isPinned = anyPackHas(pinned.map(({ file }) => file))
  const { idLength } = format
  const packed: Uint8Array[] = []
  for (let at = 0; at < loose.length; at += idLength) {
    const isPacked = indexes.some((index) => index.find(loose, at) >= 0) || isPinned(loose, at)
    if (isPacked || isGivenUp?.(loose, at) === true) packed.push(loose.subarray(at, at + idLength))
  }
  await maintenance.removeLoose(packed)
  return packed.length
}
