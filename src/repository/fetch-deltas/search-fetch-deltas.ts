import { GitError } from '../../errors.ts'
import type { Enumeration } from '../../graph/enumerate-objects.ts'
import { IdTable } from '../../object/id-table.ts'
import { encodeObjectId } from '../../object/object-id.ts'
import { BLOB, TREE } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { DeflatedEntries } from '../../pack/delta-search/deflated-entries.ts'
import { searchDeltas, type ChosenDeltas } from '../../pack/delta-search/delta-search.ts'
import { checkedDeltaSearchOptions } from '../../pack/delta-search/search-options.ts'
import type { MadeEntry, PackSelection } from '../pack-selection.ts'
import { depthsAbove } from './depths-above.ts'
import { namePaths, type NamedPaths } from './name-paths.ts'
import { fetchSearchOrder, type FetchSearchColumns } from './search-order.ts'
import { SentParents } from './sent-parents.ts'
import { listWholeObjects, type WholeObjects } from './whole-objects.ts'

/** A pack of more objects is sent without a search: it takes too long to find their paths, and deltas matter less. */
const MAX_SENT = 100_000
/** What is searched, at most; of the rest the stored entries are sent. */
const LIMITS = { maxObject: 8 << 20, maxBytes: 96 << 20, maxObjects: 8192 }
/** What the search holds in memory, at most: the window beyond two objects, and the entries that it made. */
const WINDOW_BYTES = 64 << 20
const ENTRY_BYTES = 32 << 20
/** How many root trees of the other side are looked through for bases: as many as git looks through. */
const MAX_ROOTS = 10

export interface SearchFetchDeltasOptions {
  /** Allow deltas on what the other side has: on everything in the trees at the boundary, or on trees only. */
  readonly thin: 'on all' | 'on trees' | false
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (done: number, total: number) => void
}

/** See {@link searchFetchDeltas}. */
export type SearchFetchDeltas = (
  view: ObjectView,
  enumeration: Enumeration,
  selection: PackSelection,
  options: SearchFetchDeltasOptions,
) => Promise<PackSelection>

/**
 * Searches deltas for the objects that a selection would send whole, as git does for a fetch: among each other, and on what the other
 * side has at the same paths. Two objects that one pack stores whole are not compared: who made the pack has done that.
 *
 * It costs the reading of the trees that lead to these objects, and of the objects themselves, within fixed limits.
 *
 * @returns the selection with the deltas that were found.
 * @throws GitError `CORRUPT_OBJECT`, `CORRUPT_PACK`; the signal's reason when aborted
 */
export async function searchFetchDeltas(
  view: ObjectView,
  enumeration: Enumeration,
  selection: PackSelection,
  { thin, signal, onProgress }: SearchFetchDeltasOptions,
): Promise<PackSelection> {
  if (selection.objectCount > MAX_SENT) return selection
  const whole = await listWholeObjects(view, enumeration, selection, LIMITS)
  if (whole.ids.size === 0) return selection
  const paths = await findPaths(view, enumeration, whole, thin)
  const search = checkedDeltaSearchOptions({ windowMemory: WINDOW_BYTES })
  const columns = await columnsOf(view, whole, paths)
  const order = fetchSearchOrder(columns, search.window)
  if (order.length === 0) return selection

  const total = columns.types.length
  const chosen: ChosenDeltas = { bases: new Int32Array(total).fill(-1), deltaSizes: new Uint32Array(total) }
  const deflated = new DeflatedEntries(total, ENTRY_BYTES, 0)
  const idOf = (ordinal: number): Uint8Array =>
    ordinal < whole.ids.size ? whole.ids.view(ordinal) : paths.known.view(ordinal - whole.ids.size)
  const input = {
    ...columns,
    order,
    idLength: view.format.idLength,
    depthAbove: depthsAbove(selection, whole, total, search.depth),
    tryBody: (ordinal: number) => tryBody(view, idOf(ordinal)),
    settle: () => view.settle(),
  }
  await searchDeltas(input, chosen, {
    ...search,
    ...(signal === undefined ? {} : { signal }),
    trustPacks: true,
    copyWhole: true,
    paths: columns.paths,
    deflate: view.codecs.deflate,
    deflated,
    onProgress: (done) => onProgress?.(done, order.length),
  })
  onProgress?.(order.length, order.length)
  return withEntries(selection, whole, chosen, deflated, idOf)
}

/** @throws GitError `MISSING_OBJECT` for an object that has gone since it was chosen. */
function tryBody(view: ObjectView, id: Uint8Array): Uint8Array | undefined {
  const object = view.tryRead(id)
  if (object !== null) return object?.body
  const hex = encodeObjectId(id, 0, view.format)
  throw new GitError(
    'MISSING_OBJECT',
    `object ${hex} was there a moment ago and is missing now; fetch again`,
    {
      details: { id: hex },
    },
  )
}

/** Paths of trees and blobs. Other objects have none. */
async function findPaths(
  view: ObjectView,
  enumeration: Enumeration,
  whole: WholeObjects,
  thin: SearchFetchDeltasOptions['thin'],
): Promise<NamedPaths> {
  const roots = thin !== false ? enumeration.boundaryTrees.slice(0, MAX_ROOTS) : []
  const content = new IdTable(whole.ids.idLength, whole.ids.size)
  const ordinals: number[] = []
  whole.types.forEach((type, ordinal) => {
    if (type !== TREE && type !== BLOB) return
    content.add(whole.ids.view(ordinal))
    ordinals.push(ordinal)
  })
  const parents = await SentParents.find(view, enumeration)
  const named = await namePaths(view, parents, content, roots, thin === 'on all')
  const pathHashes = new Uint32Array(whole.ids.size)
  const numbers = new Uint32Array(whole.ids.size)
  ordinals.forEach((ordinal, at) => {
    pathHashes[ordinal] = named.pathHashes[at]!
    numbers[ordinal] = named.paths[at]!
  })
  return { ...named, pathHashes, paths: numbers }
}

/** The columns of the search: objects that are sent, then those that the other side has. */
async function columnsOf(
  view: ObjectView,
  whole: WholeObjects,
  paths: NamedPaths,
): Promise<FetchSearchColumns> {
  const sent = whole.ids.size
  const total = sent + paths.known.size
  const columns = {
    sent,
    types: Uint8Array.from([...whole.types, ...paths.knownTypes]),
    sizes: Float64Array.from({ length: total }, (_, ordinal) => whole.sizes[ordinal] ?? 0),
    pathHashes: Uint32Array.from([...paths.pathHashes, ...paths.knownHashes]),
    paths: Uint32Array.from([...paths.paths, ...paths.knownPaths]),
    packs: Int32Array.from({ length: total }, (_, ordinal) => whole.packs[ordinal] ?? ELSEWHERE),
    // What the other side has takes part as bases only, as if it were stored whole and stayed so.
    storedWhole: Uint8Array.from({ length: total }, (_, ordinal) =>
      whole.storedWhole[ordinal] === false ? 0 : 1,
    ),
  }
  let waiting = Array.from({ length: paths.known.size }, (_, at) => at)
  while (waiting.length > 0) {
    waiting = waiting.filter((at) => {
      const size = view.trySize(paths.known.view(at))
      // What is absent after all, or too large, is no base: the search passes over small sizes.
      if (typeof size === 'number' && size <= LIMITS.maxObject) columns.sizes[sent + at] = size
      return size === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
  return columns
}

/** Number of the pack of objects that are not sent: of no pack that is. */
const ELSEWHERE = -2

function withEntries(
  selection: PackSelection,
  whole: WholeObjects,
  { bases, deltaSizes }: ChosenDeltas,
  deflated: DeflatedEntries,
  idOf: (ordinal: number) => Uint8Array,
): PackSelection {
  const made = selection.packs.map(() => new Map<number, MadeEntry>())
  const madeUnpacked = new Map<number, MadeEntry>()
  let madeDeltaCount = 0
  let copied = 0
  for (let ordinal = 0; ordinal < whole.ids.size; ordinal++) {
    const data = deflated.get(ordinal)
    if (data === undefined) continue
    const base = bases[ordinal]!
    const entries = made[whole.packs[ordinal]!] ?? madeUnpacked
    entries.set(whole.positions[ordinal]!, {
      type: whole.types[ordinal]!,
      size: base < 0 ? whole.sizes[ordinal]! : deltaSizes[ordinal]!,
      data,
      ...(base < 0 ? {} : { base: { id: idOf(base).slice(), ...sentAt(whole, base) } }),
    })
    if (base >= 0) madeDeltaCount++
    if (whole.storedWhole[ordinal] === true) copied++
  }
  return {
    ...selection,
    packs: selection.packs.map((pack, number) => ({ ...pack, made: made[number]! })),
    madeUnpacked,
    madeDeltaCount,
    reusedCount: selection.reusedCount - copied,
  }
}

function sentAt(whole: WholeObjects, ordinal: number): Pick<NonNullable<MadeEntry['base']>, 'sent'> {
  if (ordinal >= whole.ids.size) return {}
  return { sent: { pack: whole.packs[ordinal]!, position: whole.positions[ordinal]! } }
}
