import { isGitError, type GitErrorCode } from '../../errors.ts'
import type { BoundFilter } from '../../graph/object-filter.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { AdvertisedRef } from '../../repository/advertised-refs.ts'
import { isPartialClone } from '../../repository/find-unpromised.ts'
import type { FetchPlan, PackPlanOptions, PackRequest } from '../../repository/outgoing-pack.ts'
import { BandChannel } from '../band-channel.ts'
import { FLUSH_PKT } from '../pkt-line.ts'
import { isAbort } from '../protocol-error.ts'
import { ProgressLines } from '../progress-lines.ts'
import { bandFraming, encodeBand } from '../side-band.ts'
import type { ClientBoundary } from './client-boundary.ts'
import type { FetchRequest } from './fetch-request.ts'
import type { UploadSession } from './upload-session.ts'

const DEFAULT_KEEPALIVE_SECONDS = 5

/** What a pack is made from, once negotiation has ended. */
export interface PackOrder {
  readonly request: FetchRequest
  /** The ids of the request. */
  readonly wants: readonly ObjectId[]
  readonly boundary: ClientBoundary
  /** Objects that both sides have. */
  readonly haves: readonly ObjectId[]
  readonly filter: BoundFilter | undefined
  /** Packet size of the side-band, 0 for none. */
  readonly packetMax: number
  /** Objects that the client gets from elsewhere, if `announce` tells it so. */
  readonly elsewhere?: readonly ObjectId[]
  /**
   * What is sent between planning and sending. While it is planned nothing at all is sent then, and a failure to plan is thrown.
   */
  readonly announce?: (plan: FetchPlan) => Iterable<Uint8Array>
}

/**
 * Sends the pack, with progress and signs of life where there is a side-band, and a flush after it.
 *
 * A failure is told on band 3, and the pack stays without end; without a side-band it is thrown, so that the connection
 * breaks. The client never takes a broken pack for a whole one.
 */
export async function* sendPack(
  session: UploadSession,
  order: PackOrder,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { repository, view, options } = session
  const { request, packetMax } = order
  const channel = new BandChannel(packetMax, options.keepAliveSeconds ?? DEFAULT_KEEPALIVE_SECONDS)
  session.sent.rawPack = packetMax === 0
  const lines = new ProgressLines()
  const showsProgress = packetMax > 0 && !request.noProgress
  let announced = order.announce === undefined
  let over = false
  let sentCount: number | undefined
  const cancel = new AbortController()
  const work: PackPlanOptions = {
    signal: session.signal === undefined ? cancel.signal : AbortSignal.any([session.signal, cancel.signal]),
    ...(showsProgress
      ? {
          onProgress: (event): void => {
            if (announced) channel.say(lines.onEvent(event))
          },
        }
      : {}),
  }
  try {
    const planning = repository.planPack(view, await toPackRequest(session, order), work)
    const plan = announced ? yield* channel.during(planning) : await planning
    if (order.announce !== undefined) yield* order.announce(plan)
    announced = true
    if (showsProgress) channel.say(lines.finish())
    const framed = packetMax > 0 ? plan.writeFramed?.(bandFraming(packetMax), work) : undefined
    const pieces = framed ?? plan.write(work)
    const iterator = pieces[Symbol.asyncIterator]()
    for (;;) {
      const piece = yield* channel.during(iterator.next())
      if (piece.done === true) break
      if (framed !== undefined) yield piece.value
      else yield* channel.data(piece.value)
    }
    if (showsProgress) {
      channel.say(lines.finish())
      channel.say(
        `Total ${plan.objectCount} (delta ${plan.deltaCount}), reused ${plan.reusedCount} ` +
          `(delta ${plan.reusedDeltaCount}), pack-reused 0\n`,
      )
    }
    over = true
    yield* channel.flush()
    if (packetMax > 0) yield FLUSH_PKT
    sentCount = plan.objectCount
  } catch (error) {
    if (packetMax === 0 || !announced || isAbort(error, session.signal)) throw error
    session.onFailure?.(error)
    if (isGitError(error, 'MISSING_OBJECT'))
      channel.say(`fatal: unable to read ${String(error.details['id'])}\n`)
    yield* channel.messages()
    yield encodeBand(3, `aborting due to ${faultOf(error, view)} on the remote side.`, packetMax)
  } finally {
    // A consumer that stops listening stops the work.
    if (!over) cancel.abort()
  }
  if (sentCount !== undefined) options.onSent?.({ isClone: order.haves.length === 0, objectCount: sentCount })
}

async function toPackRequest(session: UploadSession, order: PackOrder): Promise<PackRequest> {
  const { request, wants, boundary } = order
  return {
    wants,
    haves: order.haves,
    clientShallow: boundary.clientShallow,
    shallow: boundary.shallow,
    unshallow: boundary.unshallow,
    thin: request.thin,
    ofsDelta: request.ofsDelta,
    filter: order.filter,
    elsewhere: order.elsewhere,
    includeTags: request.includeTag ? await listTags(session) : [],
  }
}

async function listTags(session: UploadSession): Promise<readonly AdvertisedRef[]> {
  const { repository, view, options, isHidden } = session
  const refs = await repository.listAdvertisedRefs(view, { prefixes: ['refs/tags/'], peel: true })
  const hidesNone = options.hiddenRefs === undefined || options.hiddenRefs.length === 0
  return hidesNone ? refs : refs.filter(({ name }) => !isHidden(name))
}

const CORRUPTION: readonly GitErrorCode[] = [
  'MISSING_OBJECT',
  'MISSING_BASE',
  'CORRUPT_OBJECT',
  'CORRUPT_PACK',
  'CORRUPT_INDEX',
  'CORRUPT_DELTA',
  'CORRUPT_ZLIB',
]

function faultOf(error: unknown, view: ObjectView): string {
  if (!isGitError(error) || !CORRUPTION.includes(error.code)) return 'an internal error'
  return error.code === 'MISSING_OBJECT' && isPartialClone(view)
    ? 'an object that is absent from this partial clone'
    : 'possible repository corruption'
}
