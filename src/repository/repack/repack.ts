import { GitError } from '../../errors.ts'
import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import { enumerateNamed } from '../../graph/enumerate-named.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { DeflatedEntries } from '../../pack/delta-search/deflated-entries.ts'
import { searchDeltas, type ChosenDeltas } from '../../pack/delta-search/delta-search.ts'
import { checkedDeltaSearchOptions, type DeltaSearchOptions } from '../../pack/delta-search/search-options.ts'
import type { SearchThreads } from '../../pack/delta-search/search-helpers.ts'
import { deltaSearchOrder } from '../../pack/delta-search/search-order.ts'
import { cutSegments } from '../../pack/delta-search/search-segments.ts'
import type { ProgressListener } from '../../pack/progress.ts'
import type { PackPlan } from '../outgoing-pack.ts'
import { selectReusedDeltas } from './reused-deltas.ts'
import { readStoredEntries } from './stored-entries.ts'
import { writeOrder } from './write-order.ts'
import { writeEntries } from './write-entries.ts'

export interface RepackOptions extends DeltaSearchOptions {
  /** Keep stored deltas whose base is packed too, instead of searching better ones. Default true. */
  readonly reuseDeltas?: boolean
  /** Copy objects that are stored whole, and stay so, instead of deflating them anew. Default true. Without it no stored delta is kept either. */
  readonly reuseObjects?: boolean
  /** Bytes of deflated entries to keep from the search to the writing; what is over is made twice. Default 256 MiB. */
  readonly deltaCacheBytes?: number
  /** Threads that search deltas together; the pack is the same without them. */
  readonly threads?: SearchThreads
  /** Bytes that the other threads may take for that. Default 256 MiB. */
  readonly threadMemory?: number
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
}

const DELTA_CACHE_BYTES = 256 << 20

/**
 * Plans one self-contained pack of everything the tips reach, with deltas searched anew where no stored one is kept. The view must stay
 * open until the pack is written.
 *
 * @throws GitError `INVALID_ARGUMENT`, `MISSING_OBJECT`, `CORRUPT_OBJECT`, `CORRUPT_PACK`, `STORAGE` when a thread has ended; the signal's
 * reason when aborted
 */
export async function planRepack(
  view: ObjectView,
  tips: readonly ObjectId[],
  options: RepackOptions = {},
): Promise<PackPlan> {
  checkedDeltaSearchOptions(options)
  const { signal, onProgress } = options
  const enumeration = await enumerateNamed(
    view,
    tips.map((tip) => parseObjectId(tip, view.format)),
    {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (found) => onProgress?.({ phase: 'enumerating', done: found }),
    },
  )
  return planNamedPack(view, enumeration, options)
}

/**
 * Plans one pack of the given objects, like {@link planRepack}. It is self-contained as far as deltas go: they are only made and kept
 * between objects of the pack.
 *
 * @throws GitError as `planRepack`
 */
export async function planNamedPack(
  view: ObjectView,
  enumeration: NamedEnumeration,
  options: RepackOptions = {},
): Promise<PackPlan> {
  const search = checkedDeltaSearchOptions(options)
  const { signal, onProgress, reuseObjects = true, deltaCacheBytes = DELTA_CACHE_BYTES } = options
  const reuseDeltas = reuseObjects && (options.reuseDeltas ?? true)
  const { threads, threadMemory } = options
  assertSameCodecs(view, threads)
  const abort = signal === undefined ? {} : { signal }
  const total = enumeration.objects.size
  onProgress?.({ phase: 'enumerating', done: total, total })
  const stored = await readStoredEntries(view, enumeration, {
    ...abort,
    onProgress: (done) => onProgress?.({ phase: 'counting', done, total }),
  })
  onProgress?.({ phase: 'counting', done: total, total })

  const reused = reuseDeltas
    ? selectReusedDeltas(enumeration, stored, search.depth)
    : noReusedDeltas(enumeration)
  const isReused = new Uint8Array(total)
  for (let ordinal = 0; ordinal < total; ordinal++) isReused[ordinal] = reused.bases[ordinal]! >= 0 ? 1 : 0
  const chosen: ChosenDeltas = { bases: reused.bases, deltaSizes: new Uint32Array(total) }
  const deflated = new DeflatedEntries(total, deltaCacheBytes)
  if (search.window > 0 && search.depth > 0) {
    const { types, pathHashes } = enumeration
    const columns = { types, pathHashes, sizes: stored.sizes }
    const order = deltaSearchOrder(columns, isReused, search.bigFileThreshold)
    const input = {
      ...columns,
      order,
      idLength: view.format.idLength,
      depthAbove: reused.depthAbove,
      packs: stored.packs,
      storedWhole: stored.storedWhole,
      tryBody: (ordinal: number) => stored.tryBody(ordinal),
      settle: () => view.settle(),
    }
    await searchDeltas(input, chosen, {
      ...search,
      ...abort,
      segmentEnds: cutSegments(columns, order),
      ...(threads === undefined ? {} : { threads }),
      ...(threadMemory === undefined ? {} : { threadMemory }),
      trustPacks: reuseDeltas,
      copyWhole: reuseObjects,
      deflate: view.codecs.deflate,
      deflated,
      onProgress: (done) => onProgress?.({ phase: 'compressing', done, total: order.length }),
    })
    onProgress?.({ phase: 'compressing', done: order.length, total: order.length })
  }

  let deltaCount = 0
  let reusedWhole = 0
  for (let ordinal = 0; ordinal < total; ordinal++) {
    if (chosen.bases[ordinal]! >= 0) deltaCount++
    else if (reuseObjects && stored.storedWhole[ordinal] === 1) reusedWhole++
  }
  const order = writeOrder(enumeration.types, chosen.bases)
  return {
    objectCount: total,
    deltaCount,
    reusedCount: reused.count + reusedWhole,
    reusedDeltaCount: reused.count,
    write: (writing = {}) => {
      const progress = writing.onProgress ?? onProgress
      const aborting = writing.signal ?? signal
      return writeEntries(
        { view, enumeration, stored, chosen, isReused, deflated, order, reuseObjects },
        {
          ...(aborting === undefined ? {} : { signal: aborting }),
          onProgress: (done, bytes) => progress?.({ phase: 'writing', done, total, bytes }),
        },
      )
    },
  }
}

function noReusedDeltas({ objects }: NamedEnumeration): ReturnType<typeof selectReusedDeltas> {
  return { bases: new Int32Array(objects.size).fill(-1), depthAbove: new Uint16Array(objects.size), count: 0 }
}

/** Other codecs deflate the same bytes differently, and then the pack would depend on which thread made what. */
function assertSameCodecs({ codecs }: ObjectView, threads: SearchThreads | undefined): void {
  if (threads === undefined || threads.provider === codecs.name) return
  throw new GitError(
    'INVALID_ARGUMENT',
    `the threads have the codecs '${threads.provider}', the repository has '${codecs.name}'; start threads with those`,
    { details: { option: 'threads', value: threads.provider } },
  )
}
