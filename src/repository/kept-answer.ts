import { unwrapFrames } from '../odb/framing.ts'
import type { KeptPack, KeptPacks } from '../odb/kept-packs.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { FetchPlan, PackPlanOptions, PackRequest } from './outgoing-pack.ts'
import { digestRequest } from './whole-pack.ts'

/** Only frames that most peers ask for are worth keeping. */
const LEAST_FRAME = 4096

/** A plan, and what stands for the state of the repository as far as it depends on it, where something does. */
export interface PlanOfState {
  readonly plan: FetchPlan
  readonly state: object | undefined
}

/** See {@link keepAnswers}. */
export type KeepAnswers = (
  view: ObjectView,
  request: PackRequest,
  options: PackPlanOptions,
  planAnew: () => Promise<PlanOfState>,
) => Promise<FetchPlan>

/** Plans the answer to a request that nothing bounds: as it was sent before, or anew and so that it is kept as it is sent. */
export async function keepAnswers(
  view: ObjectView,
  request: PackRequest,
  options: PackPlanOptions,
  planAnew: () => Promise<PlanOfState>,
): Promise<FetchPlan> {
  const digest = digestRequest(view, request)
  const kept = view.keptPacks.find(view.reachability, digest)
  if (typeof kept === 'object') return planKeptPack(kept, options)
  const { plan, state } = await planAnew()
  return kept === 'make' || state === undefined ? plan : keepPack(plan, view.keptPacks, state, digest)
}

/** The plan for a pack that was kept. */
function planKeptPack(pack: KeptPack, { signal, onProgress }: PackPlanOptions): FetchPlan {
  const { objectCount, deltaCount, reusedCount, reusedDeltaCount, pieces, framing } = pack
  onProgress?.({ phase: 'enumerating', done: objectCount, total: objectCount })
  onProgress?.({ phase: 'counting', done: objectCount, total: objectCount })
  return {
    objectCount,
    deltaCount,
    reusedCount,
    reusedDeltaCount,
    leftOut: [],
    async *write(writing = {}) {
      for await (const piece of listPieces(pieces, writing.signal ?? signal))
        yield* unwrapFrames(piece, framing)
    },
    writeFramed: (asked, writing = {}) =>
      asked.every === framing.every && asked.gap === framing.gap
        ? listPieces(pieces, writing.signal ?? signal)
        : undefined,
  }
}

async function* listPieces(
  pieces: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    signal?.throwIfAborted()
    yield await Promise.resolve(piece)
  }
}

/** A plan whose pack is kept as it is sent. */
function keepPack(plan: FetchPlan, kept: KeptPacks, state: object, request: string): FetchPlan {
  const { objectCount, deltaCount, reusedCount, reusedDeltaCount } = plan
  const counts = { objectCount, deltaCount, reusedCount, reusedDeltaCount }
  return {
    ...plan,
    writeFramed: (framing, writing) => {
      const pieces = plan.writeFramed?.(framing, writing)
      if (pieces === undefined || framing.every < LEAST_FRAME) return pieces
      return keepPieces(pieces, kept.maxBytes, (all) => {
        kept.put(state, request, { ...counts, framing, pieces: all })
      })
    },
  }
}

/** Hands on pieces, and all of them in the end, unless they are more than `maxBytes`. */
async function* keepPieces(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
  keep: (pieces: readonly Uint8Array[]) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  let collected: Uint8Array[] | undefined = []
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > maxBytes) collected = undefined
    collected?.push(piece)
    yield piece
  }
  if (collected !== undefined) keep(collected)
}
