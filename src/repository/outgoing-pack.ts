import {
  enumerateObjects,
  includedIds,
  includeObject,
  isIncluded,
  type EnumerateRequest,
  type Enumeration,
} from '../graph/enumerate-objects.ts'
import { excludeObjects } from '../graph/exclude-objects.ts'
import type { BoundFilter } from '../graph/object-filter.ts'
import { peel } from '../graph/peel.ts'
import { parseCommitLinks } from '../object/commit-links.ts'
import { isGitError } from '../errors.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId, parseObjectId, type ObjectId } from '../object/object-id.ts'
import { readObject } from '../object/object-reader.ts'
import { COMMIT, TAG } from '../object/object-type.ts'
import type { Framing } from '../odb/framing.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile, ReachablePackFile } from '../odb/pack-file.ts'
import type { ProgressListener } from '../pack/progress.ts'
import { COPY, COPY_DELTA, selectEntries, type PackSelection } from './pack-selection.ts'
import { searchFetchDeltas, type SearchFetchDeltas } from './fetch-deltas/search-fetch-deltas.ts'
import { findWholePack, readFramedPack, readWholePack, type IncludedTag } from './whole-pack.ts'
import { keepAnswers, type KeepAnswers, type PlanOfState } from './kept-answer.ts'
import { writeSelection } from './write-selection.ts'

/** What a pack for a client shall contain. */
export interface PackRequest {
  readonly wants: readonly ObjectId[]
  /** Ids that the client has and this repository has too. */
  readonly haves: readonly ObjectId[]
  /** The client's shallow commits before this fetch. */
  readonly clientShallow: readonly ObjectId[]
  /** Commits that become shallow with this fetch. */
  readonly shallow: readonly ObjectId[]
  /** Commits that stop being shallow: their parents are sent. */
  readonly unshallow: readonly ObjectId[]
  /** The client completes deltas on objects it has. */
  readonly thin: boolean
  /** The client understands ofs-deltas. */
  readonly ofsDelta: boolean
  /** What is left out of the pack: the client does without, or asks for it later. */
  readonly filter?: BoundFilter | undefined
  /** Objects that the client gets from elsewhere: left out too, and told in the plan. */
  readonly elsewhere?: readonly ObjectId[] | undefined
  /** Annotated tags that are sent when the object they finally name is sent (`include-tag`). */
  readonly includeTags: readonly IncludedTag[]
}

export interface PackPlanOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: ProgressListener
}

export interface FetchPlanOptions extends PackPlanOptions {
  readonly searchFetchDeltas?: SearchFetchDeltas | undefined
  readonly keepAnswers?: KeepAnswers | undefined
}

/** A pack that is ready to be written. */
export interface PackPlan {
  readonly objectCount: number
  readonly deltaCount: number
  /** Entries copied as they are stored. */
  readonly reusedCount: number
  readonly reusedDeltaCount: number
  /** The pack's bytes, header to trailer. Use once, before the view is closed. */
  write(options?: {
    readonly signal?: AbortSignal
    readonly onProgress?: ProgressListener
  }): AsyncIterable<Uint8Array>
}

/** The pack that answers a fetch. */
export interface FetchPlan extends PackPlan {
  /**
   * The pack's bytes wrapped in frames, instead of `write`; `undefined` where it is there in other frames. The chunks may be shared with
   * others: never write to them.
   */
  writeFramed?(
    framing: Framing,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: ProgressListener },
  ): AsyncIterable<Uint8Array> | undefined
  /** Of the objects that the client gets from elsewhere, those that would be in the pack. */
  readonly leftOut: readonly ObjectId[]
}

/**
 * Plans the pack that answers a fetch: enumerates what the wants reach and the haves do not, and selects the stored bytes to
 * copy. The view must stay open until the pack is written.
 *
 * @throws GitError `MISSING_OBJECT` (`details.id`) when a want, or something it reaches, is absent; `CORRUPT_OBJECT`, `CORRUPT_PACK`
 */
export function planPack(
  view: ObjectView,
  request: PackRequest,
  options: PackPlanOptions = {},
): Promise<FetchPlan> {
  return planFetch(view, request, { ...options, searchFetchDeltas, keepAnswers })
}

/** What {@link planPack} does, with what is given of what makes answers smaller and faster. */
export async function planFetch(
  view: ObjectView,
  request: PackRequest,
  options: FetchPlanOptions,
): Promise<FetchPlan> {
  if (!isUnbounded(view, request)) return (await planByWalk(view, request, options)).plan
  const stored = findWholePack(view, request)
  if (stored !== undefined && (await view.pin(stored))) return planStoredPack(stored, options)
  const planAnew = (): Promise<PlanOfState> => planByWalk(view, request, options)
  const { keepAnswers: keep } = options
  return keep === undefined ? (await planAnew()).plan : keep(view, request, options, planAnew)
}

async function planByWalk(
  view: ObjectView,
  request: PackRequest,
  options: FetchPlanOptions,
): Promise<PlanOfState> {
  const { signal, onProgress } = options
  const raw = (id: ObjectId): Uint8Array => parseObjectId(id, view.format)
  const wants = request.wants.map(raw)
  for (const id of request.unshallow) wants.push(...(await parentsOf(view, raw(id))))
  const enumerateRequest: EnumerateRequest = {
    wants,
    haves: [...request.haves, ...request.unshallow].map(raw),
    shallow: new Set([...request.clientShallow, ...request.shallow, ...request.unshallow]),
    filter: request.filter,
    signal,
    onProgress: (found) => onProgress?.({ phase: 'enumerating', done: found }),
  }
  const { enumeration, selection, leftOut } = await enumerateAndSelect(
    view,
    enumerateRequest,
    request,
    options,
  )
  const total = selection.objectCount
  const verbatim = verbatimPack(selection)
  const write = (writing: PackPlanOptions = {}, framing?: Framing): AsyncIterable<Uint8Array> => {
    const progress = writing.onProgress ?? onProgress
    const abort = writing.signal ?? signal
    if (verbatim !== undefined && request.ofsDelta) {
      return framing === undefined ? readWholePack(verbatim, abort) : readFramedPack(verbatim, framing, abort)
    }
    return writeSelection(view, enumeration, selection, {
      ofsDelta: request.ofsDelta,
      framing,
      signal: abort,
      onProgress: (done, bytes) => progress?.({ phase: 'writing', done, total, bytes }),
    })
  }
  const plan: FetchPlan = {
    objectCount: total,
    deltaCount: selection.deltaCount + selection.madeDeltaCount,
    reusedCount: selection.reusedCount,
    reusedDeltaCount: selection.deltaCount,
    leftOut,
    write: (writing) => write(writing),
    writeFramed: (framing, writing) => write(writing, framing),
  }
  return { plan, state: enumeration.objects.size === 0 ? enumeration.marks.set : undefined }
}

/** Whether the answer is everything that the wants reach, in any form. */
function isUnbounded(view: ObjectView, request: PackRequest): boolean {
  const { haves, clientShallow, shallow, unshallow, filter, elsewhere = [] } = request
  if (!request.ofsDelta || filter !== undefined || view.shallow.size > 0) return false
  return [haves, clientShallow, shallow, unshallow, elsewhere].every((list) => list.length === 0)
}

function planStoredPack(pack: ReachablePackFile, { signal, onProgress }: PackPlanOptions): FetchPlan {
  const { objectCount, deltaCount } = pack.reachability
  onProgress?.({ phase: 'enumerating', done: objectCount, total: objectCount })
  onProgress?.({ phase: 'counting', done: objectCount, total: objectCount })
  return {
    objectCount,
    deltaCount,
    reusedCount: objectCount,
    reusedDeltaCount: deltaCount,
    leftOut: [],
    write: (writing = {}) => readWholePack(pack, writing.signal ?? signal),
    writeFramed: (framing, writing = {}) => readFramedPack(pack, framing, writing.signal ?? signal),
  }
}

/** How often a plan is made anew because packs it was made on went away. */
const ATTEMPTS = 5

async function enumerateAndSelect(
  view: ObjectView,
  enumerating: EnumerateRequest,
  request: PackRequest,
  { signal, onProgress, searchFetchDeltas: search }: FetchPlanOptions,
): Promise<{
  readonly enumeration: Enumeration
  readonly selection: PackSelection
  readonly leftOut: readonly ObjectId[]
}> {
  for (let attempt = 1; ; attempt++) {
    try {
      const everything = await enumerateObjects(view, enumerating)
      await includeTags(view, everything, request)
      const { enumeration, excluded } = excludeElsewhere(view, everything, request)
      const total = enumeration.marks.includedCount + enumeration.objects.size
      onProgress?.({ phase: 'enumerating', done: total, total })
      const thin = request.thin && hasEveryBase(request)
      const stored = await selectEntries(view, enumeration, {
        thin,
        signal,
        onProgress: (done) => onProgress?.({ phase: 'counting', done, total }),
      })
      onProgress?.({ phase: 'counting', done: total, total })
      const selection =
        search === undefined || enumeration.boundaryTrees.length === 0
          ? stored
          : await search(view, enumeration, stored, {
              // Who does without blobs may have been sent the one that is asked for, and not the one at its path before.
              thin: thin && (request.filter === undefined ? 'on all' : 'on trees'),
              signal,
              onProgress: (done, of) => onProgress?.({ phase: 'compressing', done, total: of }),
            })
      return { enumeration, selection, leftOut: excluded.map((id) => encodeObjectId(id, 0, view.format)) }
    } catch (error) {
      if (!isGitError(error, 'NOT_FOUND') || attempt === ATTEMPTS) throw error
    }
  }
}

/**
 * Whether the client surely has what its haves reach, of the kinds that are sent. Other filters than these let a client lack any
 * of it.
 */
function hasEveryBase({ filter }: PackRequest): boolean {
  return filter === undefined || filter.kind === 'blob:none'
}

function excludeElsewhere(
  view: ObjectView,
  enumeration: Enumeration,
  { elsewhere = [] }: PackRequest,
): { readonly enumeration: Enumeration; readonly excluded: readonly Uint8Array[] } {
  if (elsewhere.length === 0) return { enumeration, excluded: [] }
  const ids = new IdTable(view.format.idLength, elsewhere.length)
  for (const id of elsewhere) ids.add(parseObjectId(id, view.format))
  return excludeObjects(enumeration, ids)
}

/** The stored pack whose objects are exactly those to be sent, each stored so that it can be sent as it is. */
function verbatimPack({ packs, unpacked }: PackSelection): PackFile | undefined {
  const [pack] = packs
  if (pack === undefined || packs.length > 1 || unpacked.length > 0 || (pack.made?.size ?? 0) > 0)
    return undefined
  return pack.actions.every((action) => action === COPY || action === COPY_DELTA) ? pack.file : undefined
}

/** The real parents of a commit, also when it is shallow for the client. */
async function parentsOf(view: ObjectView, commit: Uint8Array): Promise<readonly Uint8Array[]> {
  if (view.shallow.has(encodeObjectId(commit, 0, view.format))) return []
  const object = await readObject(view, commit)
  return object?.type === COMMIT ? parseCommitLinks(object.body, view.format).parents : []
}

async function includeTags(view: ObjectView, enumeration: Enumeration, request: PackRequest): Promise<void> {
  const isNamed = namesIncluded(view, enumeration, request.includeTags.length)
  for (const { id: tag, peeled } of request.includeTags) {
    // What a tag names is included with it.
    if (peeled === undefined || isNamed(tag) || !isNamed(peeled)) continue
    const { tags } = await peel(view, parseObjectId(tag, view.format))
    for (const id of tags) includeObject(enumeration, id, TAG)
  }
}

/** Tells whether objects are to be sent: by lookups, or by a list where that is shorter. */
function namesIncluded(view: ObjectView, enumeration: Enumeration, asked: number): (id: ObjectId) => boolean {
  if (enumeration.marks.includedCount + enumeration.objects.size > asked)
    return (id) => isIncluded(enumeration, parseObjectId(id, view.format))
  const listed = new Set<ObjectId>()
  for (const id of includedIds(enumeration)) listed.add(encodeObjectId(id, 0, view.format))
  return (id) => listed.has(id)
}
