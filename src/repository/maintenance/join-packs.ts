import type { Repository } from '../repository.ts'
import { geometricSplit } from './geometric-split.ts'
import { copyPacks } from './copy-packs.ts'
import { numberRows } from './joined-rows.ts'
import { makePack, type MadePack } from './made-pack.ts'
import type { MaintenanceStep } from './maintenance-result.ts'
import type { StepContext } from './step-context.ts'
import { collectContents, pinPack } from './pack-contents.ts'
import type { PackNote } from './pack-note.ts'
import { removePackedLoose, replacePacks } from './replace-packs.ts'
import type { MaintainedPack, RepositoryState } from './repository-state.ts'

/**
 * Chooses the packs to join: those that break the geometric progression, as many of the smallest as the step may take.
 */
export function choosePacksToJoin(
  packs: readonly MaintainedPack[],
  { factor, maxStepBytes }: { readonly factor: number; readonly maxStepBytes: number },
): readonly MaintainedPack[] {
  const sorted = [...packs].sort((left, right) => objectsIn(left) - objectsIn(right))
  const split = geometricSplit(sorted.map(objectsIn), factor)
  return takeWithin(sorted.slice(0, split), maxStepBytes)
}

/** The first of some packs that have at most so many bytes together; none when that is fewer than two. */
export function takeWithin(packs: readonly MaintainedPack[], maxBytes: number): readonly MaintainedPack[] {
  let bytes = 0
  const taken = packs.filter(({ description }) => (bytes += description.packSize) <= maxBytes)
  return taken.length < 2 ? [] : taken
}

function objectsIn({ file }: MaintainedPack): number {
  return file.index.objectCount
}

/** What holds for the deltas of all packs together: how hard those were searched for which it was done least. */
function commonNote(packs: readonly MaintainedPack[], hasLoose: boolean): PackNote | undefined {
  let window = Infinity
  let depth = Infinity
  for (const { note } of packs) {
    if (note?.kind !== 'searched') return undefined
    window = Math.min(window, note.window)
    depth = Math.min(depth, note.depth)
  }
  return hasLoose || packs.length === 0 ? undefined : { kind: 'searched', window, depth }
}

/**
 * Joins packs and loose objects as they are stored: deltas are kept, none are searched, and every object is read back and hashed. Nothing is
 * lost, reachable or not.
 */
export async function joinPacks(
  repository: Repository,
  state: RepositoryState,
  packs: readonly MaintainedPack[],
  context: StepContext,
): Promise<MaintenanceStep> {
  const { view, loose } = state
  const newestFirst = [...packs].sort((left, right) => right.description.modified - left.description.modified)
  const files = newestFirst.map(({ file }) => file)
  const contents = await collectContents(view, files, loose, () => true, context.signal)
  const main = await makePack(repository, view, contents, { ...context.packing, window: 0 })
  return replaceWith(repository, state, packs, main)
}

/**
 * Joins packs that are too large for more than to copy their entries. Where that is not possible, or there are loose objects, it does what
 * {@link joinPacks} does.
 */
export async function joinLargePacks(
  repository: Repository,
  state: RepositoryState,
  packs: readonly MaintainedPack[],
  context: StepContext,
): Promise<MaintenanceStep> {
  const files = packs.map(({ file }) => file)
  for (const file of files) await pinPack(state.view, file)
  const rows = state.loose.length > 0 ? undefined : await numberRows(files, context.signal)
  if (rows === undefined) return joinPacks(repository, state, packs, context)
  return replaceWith(repository, state, packs, await copyPacks(repository, rows, context.packing))
}

async function replaceWith(
  repository: Repository,
  state: RepositoryState,
  packs: readonly MaintainedPack[],
  main: MadePack | undefined,
): Promise<MaintenanceStep> {
  const { loose } = state
  const note = commonNote(packs, loose.length > 0)
  const replacement = { main, dropped: packs, ...(note === undefined ? {} : { note }) }
  await replacePacks(repository, state, replacement)
  return {
    kind: 'repack',
    how: 'join',
    ...(main === undefined ? {} : { added: main.staged.name }),
    dropped: packs.map(({ description }) => description.name),
    objectCount: main?.indexing.packIndex.objectCount ?? 0,
    unreachableCount: 0,
    looseRemoved: await removePackedLoose(repository, state, replacement),
  }
}
