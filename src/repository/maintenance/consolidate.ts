import { enumerateNamed, type NamedEnumeration } from '../../graph/enumerate-named.ts'
import { enumerateObjects, isIncluded, type Enumeration } from '../../graph/enumerate-objects.ts'
import { parseObjectId } from '../../object/object-id.ts'
import { checkedDeltaSearchOptions } from '../../pack/delta-search/search-options.ts'
import type { Repository } from '../repository.ts'
import { takeWithin } from './join-packs.ts'
import { makePack } from './made-pack.ts'
import type { MaintenanceStep } from './maintenance-result.ts'
import {
  anyPackHas,
  collectContents,
  nameByTrees,
  restrictContents,
  type IdPredicate,
} from './pack-contents.ts'
import type { PackNote } from './pack-note.ts'
import { removePackedLoose, replacePacks } from './replace-packs.ts'
import type { MaintainedPack, RepositoryState, Roots } from './repository-state.ts'
import type { StepContext } from './step-context.ts'

/** Finds everything that the roots reach. Over numbers where packs have their reachability written down. */
export async function findReachable(
  { view }: RepositoryState,
  { ids }: Roots,
  signal: AbortSignal,
): Promise<Enumeration> {
  const wants = ids.map((id) => parseObjectId(id, view.format))
  return enumerateObjects(view, { wants, haves: [], signal })
}

/** Whether everything is where a full repack puts it. */
export function isConsolidated(
  state: RepositoryState,
  reachable: Enumeration,
  context: StepContext,
): boolean {
  const { ordinary, unreachable, pinned, loose } = state
  const [only] = ordinary
  if (ordinary.length > 1 || loose.length > 0) return false
  if (only !== undefined && (!isSearched(only, context) || only.description.partial === true)) return false
  const others = anyPackHas([...ordinary, ...pinned].map(({ file }) => file))
  return (
    ordinary.every((pack) => !hasObjectWhere(pack, (bytes, at) => !isIncluded(reachable, bytes, at))) &&
    unreachable.every(
      (pack) => !hasObjectWhere(pack, (bytes, at) => isIncluded(reachable, bytes, at) && !others(bytes, at)),
    )
  )
}

/** Whether deltas of a pack were searched at least as hard as is asked for. */
export function isSearched({ note }: MaintainedPack, { options }: StepContext): boolean {
  const { window, depth } = checkedDeltaSearchOptions(options.search)
  return note?.kind === 'searched' && note.window >= window && note.depth >= depth
}

/** The ids, as a predicate, of a pack's visible objects that are meant; whether there is one. */
function hasObjectWhere({ file }: MaintainedPack, isMeant: IdPredicate): boolean {
  const { index, mask } = file
  for (let rank = 0; rank < index.objectCount; rank++) {
    if (mask?.has(rank) !== false && isMeant(index.bytes, index.idAt(rank))) return true
  }
  return false
}

/**
 * Makes one pack of everything that is reachable, its deltas searched anew, and one of what is not, in the place of all packs and loose
 * objects. What is in pinned packs stays there.
 */
export async function consolidate(
  repository: Repository,
  state: RepositoryState,
  { ids }: Roots,
  context: StepContext,
): Promise<MaintenanceStep> {
  const { view, ordinary, pinned } = state
  const { signal, options } = context
  const everything = await enumerateNamed(
    view,
    ids.map((id) => parseObjectId(id, view.format)),
    { signal, onProgress: (done) => options.onProgress?.({ phase: 'enumerating', done }) },
  )
  const isPinned = anyPackHas(pinned.map(({ file }) => file))
  const contents =
    pinned.length === 0 ? everything : restrictContents(everything, (bytes, at) => !isPinned(bytes, at))
  return replaceWith(repository, state, ordinary, context, {
    how: 'full',
    contents,
    isReachable: (bytes, at) => everything.objects.has(bytes, at),
    loose: state.loose,
  })
}

/**
 * The packs that a bounded step is to rewrite: such that were not yet, the smallest first, as many as it may take. A pack that a step
 * was too short for before is taken in smaller company, and then no more.
 */
export function choosePart(state: RepositoryState, context: StepContext): readonly MaintainedPack[] {
  const { maxStepBytes } = context.options
  const limitOf = ({ note }: MaintainedPack): number =>
    note?.kind === 'tried' ? maxStepBytes / 2 ** note.times : maxStepBytes
  const waiting = state.ordinary
    .filter((pack) => !isSearched(pack, context) || pack.description.partial === true)
    .filter((pack) => pack.description.packSize <= limitOf(pack))
    .sort((left, right) => left.description.packSize - right.description.packSize)
  let bytes = 0
  const limit = Math.min(...waiting.map(limitOf))
  return waiting.filter(({ description }) => (bytes += description.packSize) <= limit)
}

/** The packs that can be joined after all parts were rewritten, of so many bytes together. */
export function chooseParts(state: RepositoryState, maxBytes: number): readonly MaintainedPack[] {
  const sorted = [...state.ordinary].sort(
    (left, right) => left.description.packSize - right.description.packSize,
  )
  return takeWithin(sorted, maxBytes)
}

/** Rewrites some packs: what is reachable of them with deltas searched anew, what is not into a pack of its own. */
export async function consolidatePart(
  repository: Repository,
  state: RepositoryState,
  packs: readonly MaintainedPack[],
  reachable: Enumeration,
  context: StepContext,
): Promise<MaintenanceStep> {
  const { view, pinned } = state
  const isPinned = anyPackHas(pinned.map(({ file }) => file))
  const isReachable: IdPredicate = (bytes, at) => isIncluded(reachable, bytes, at)
  const contents = await collectContents(
    view,
    packs.map(({ file }) => file),
    state.loose,
    (bytes, at) => isReachable(bytes, at) && !isPinned(bytes, at),
    context.signal,
  )
  await nameByTrees(view, contents, context.signal)
  return replaceWith(repository, state, packs, context, {
    how: 'part',
    contents,
    isReachable,
    loose: state.loose,
  })
}

/** Whether deltas were searched already for more than half of the objects: then they are kept, and only new objects get new ones. */
function areMostlySearched(packs: readonly MaintainedPack[]): boolean {
  let balance = 0
  for (const { note, file } of packs)
    balance += note?.kind === 'searched' ? file.index.objectCount : -file.index.objectCount
  return balance > 0
}

interface Replacing {
  readonly how: 'full' | 'part'
  readonly contents: NamedEnumeration
  readonly isReachable: IdPredicate
  readonly loose: Uint8Array
}

async function replaceWith(
  repository: Repository,
  state: RepositoryState,
  packs: readonly MaintainedPack[],
  { packing, options, signal, made }: StepContext,
  { how, contents, isReachable, loose }: Replacing,
): Promise<MaintenanceStep> {
  const { view, pinned } = state
  const { objects } = contents
  const isPinned = anyPackHas(pinned.map(({ file }) => file))
  const isGarbage: IdPredicate = (bytes, at) => !isReachable(bytes, at) && !isPinned(bytes, at)
  const files = packs.map(({ file }) => file)
  const garbage = await collectContents(view, files, loose, isGarbage, signal)
  const atOnce = options.mode === 'gc' && options.gracePeriod === 0
  const main = await makePack(repository, view, contents, {
    ...packing,
    reuseDeltas: !options.force && areMostlySearched(packs),
  })
  const unreachable = atOnce
    ? undefined
    : await makePack(repository, view, garbage, { ...packing, window: 0 }).catch(async (error: unknown) => {
        await main?.staged.pack.discard()
        await main?.staged.index.discard()
        throw error
      })
  const { window, depth } = checkedDeltaSearchOptions(options.search)
  const note: PackNote = { kind: 'searched', window, depth }
  const replacement = {
    main,
    note,
    unreachable,
    dropped: packs,
    ...(atOnce ? { isGivenUp: isGarbage } : {}),
  }
  await replacePacks(repository, state, replacement)
  if (main !== undefined) made.set(main.staged.name, contents)
  return {
    kind: 'repack',
    how,
    ...(main === undefined ? {} : { added: main.staged.name }),
    ...(unreachable === undefined ? {} : { unreachable: unreachable.staged.name }),
    dropped: packs.map(({ description }) => description.name),
    objectCount: objects.size,
    unreachableCount: garbage.objects.size,
    looseRemoved: await removePackedLoose(repository, state, replacement),
  }
}
