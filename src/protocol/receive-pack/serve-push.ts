import { BandChannel } from '../band-channel.ts'
import { chooseRows, listOffers } from '../capability-list.ts'
import type { IncomingPack } from '../../repository/incoming-pack.ts'
import { encodeErrorPkt, FLUSH_PKT } from '../pkt-line.ts'
import type { PktReader } from '../pkt-reader.ts'
import { isAbort, isPeerFault } from '../protocol-error.ts'
import type { ProtocolVersion } from '../protocol-version.ts'
import { encodeRefAdvertisement } from '../ref-advertisement.ts'
import { encodeBand } from '../side-band.ts'
import { tellPostReceive } from './ask-hooks.ts'
import { checkConnectivity } from './check-connectivity.ts'
import { executeCommands, refuseByNumber } from './execute-commands.ts'
import { encodeReport, openOutcome, type CommandOutcome } from './push-outcome.ts'
import { createPushRequest, readPushRequest, RECEIVE_CAPABILITIES, type PushRequest } from './push-request.ts'
import type { ReceivedPush, ReceiveSession } from './receive-session.ts'
import { unpack, type Unpacked } from './unpack.ts'

const DEFAULT_KEEPALIVE_SECONDS = 5

/** The ref advertisement for pushing: refs as they are, without peeled tags, and without HEAD unless it is wanted. */
export async function* advertisePush(
  session: ReceiveSession,
  version: ProtocolVersion,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { repository } = session
  const view = await repository.openView()
  try {
    const { advertiseHead = false, capabilities } = session.options
    const refs = await repository.listAdvertisedRefs(view, { peel: false })
    const head = advertiseHead ? await repository.readHead() : undefined
    yield* encodeRefAdvertisement({
      version,
      refs: refs
        .filter(({ name }) => (name === 'HEAD' ? advertiseHead : !session.isHidden(name)))
        .map(({ name, id }) => ({ name, id })),
      capabilities: listOffers(chooseRows(RECEIVE_CAPABILITIES, 'push', capabilities), {
        session,
        symrefs: head?.kind === 'symbolic' ? [`HEAD:${head.target}`] : [],
      }),
      shallow: await repository.storage.readShallow(),
      format: repository.format,
    })
  } finally {
    await view.close()
  }
}

/** Answers one push: commands, the pack, the report. A request without commands, as git sends to probe, gets no answer. */
export async function* servePush(
  session: ReceiveSession,
  reader: PktReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = createPushRequest()
  const progress = { hasBegun: false }
  try {
    await readPushRequest(request, session, reader)
    if (request.commands.length === 0) return
    for await (const packet of runPush(session, request, reader)) {
      progress.hasBegun = true
      yield packet
    }
  } catch (error) {
    if (isAbort(error, session.signal)) throw error
    const isTold = isPeerFault(error)
    const cannotTell = reader.packetCount === 0 || (request.packetMax === 0 && progress.hasBegun)
    if (cannotTell || (!isTold && !progress.hasBegun)) throw error
    if (!isTold) session.onFailure?.(error)
    const message = isTold ? error.message : 'an internal error on the remote side'
    yield request.packetMax > 0 ? encodeBand(3, `${message}\n`, request.packetMax) : encodeErrorPkt(message)
  }
}

async function* runPush(
  session: ReceiveSession,
  request: PushRequest,
  reader: PktReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { repository } = session
  const { zeroId } = repository.format
  const channel = new BandChannel(
    request.packetMax,
    session.options.keepAliveSeconds ?? DEFAULT_KEEPALIVE_SECONDS,
  )
  const outcomes = request.commands.map(openOutcome)
  const onlyDeletes = request.commands.every(({ newId }) => newId === zeroId)
  const unpacked: Unpacked = onlyDeletes
    ? { kind: 'received', incoming: await repository.receivePack(undefined) }
    : yield* unpack(session, request, reader, channel)
  if (unpacked.kind === 'refused') {
    for (const outcome of outcomes) outcome.error = unpacked.error
    yield* sendReport(channel, request, unpacked.status, outcomes)
  } else {
    const carried = carryOut(session, request, unpacked.incoming, channel, outcomes)
    try {
      yield* channel.during(carried.decided)
      yield* sendReport(channel, request, 'ok', outcomes)
      yield* channel.during(carried.over)
      yield* channel.flush()
    } finally {
      // A client that goes away does not stop what has begun: refs may have moved, and those who wait for it are to be told.
      await Promise.allSettled([carried.over])
    }
  }
  if (request.packetMax > 0) yield FLUSH_PKT
}

function* sendReport(
  channel: BandChannel,
  request: PushRequest,
  status: string,
  outcomes: readonly CommandOutcome[],
): Generator<Uint8Array, void, undefined> {
  if (request.reportVersion > 0) {
    yield* channel.messages()
    yield* channel.data(encodeReport(request.reportVersion === 2 ? 2 : 1, status, outcomes))
  }
  yield* channel.flush()
}

interface CarriedPush {
  /** Settles when it is decided what becomes of each command. */
  readonly decided: Promise<void>
  /** Settles when everybody has been told. */
  readonly over: Promise<void>
}

function carryOut(
  session: ReceiveSession,
  request: PushRequest,
  incoming: IncomingPack,
  channel: BandChannel,
  outcomes: readonly CommandOutcome[],
): CarriedPush {
  const say = (text: string): void => {
    channel.say(text)
  }
  const decide = async (): Promise<ReceivedPush> => {
    let view = incoming.view
    try {
      refuseByNumber(session.options.maxRefUpdates, outcomes)
      const shallow = await checkConnectivity({ session, request, incoming, say }, outcomes)
      if (shallow !== undefined) view = await incoming.openView(shallow)
      const push: ReceivedPush = { session, request, incoming, view, say }
      await executeCommands(push, outcomes, shallow)
      return push
    } finally {
      if (view !== incoming.view) await view.close()
      await incoming.discard()
    }
  }
  const decided = decide()
  return {
    decided: decided.then(() => undefined),
    over: decided.then((push) => tellPostReceive(push, outcomes)),
  }
}
