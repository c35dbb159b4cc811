import { BandChannel } from '../band-channel.ts'
import { listOffers } from '../capability-list.ts'
import { encodeErrorPkt, FLUSH_PKT } from '../pkt-line.ts'
import type { PktReader } from '../pkt-reader.ts'
import { isAbort, isPeerFault } from '../protocol-error.ts'
import type { ProtocolVersion } from '../protocol-version.ts'
import { encodeRefAdvertisement } from '../ref-advertisement.ts'
import { encodeBand } from '../side-band.ts'
import { executeCommands } from './execute-commands.ts'
import { encodeReport, type CommandOutcome } from './push-outcome.ts'
import { createPushRequest, readPushRequest, RECEIVE_CAPABILITIES, type PushRequest } from './push-request.ts'
import type { ReceiveSession } from './receive-session.ts'
import { unpack, type Unpacked } from './unpack.ts'

const DEFAULT_KEEPALIVE_SECONDS = 5

/** The ref advertisement for pushing: refs as they are, without HEAD and without peeled tags. */
export async function* advertisePush(
  session: ReceiveSession,
  version: ProtocolVersion,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { repository } = session
  const view = await repository.openView()
  try {
    const refs = await repository.listAdvertisedRefs(view, { peel: false })
    yield* encodeRefAdvertisement({
      version,
      refs: refs
        .filter(({ name }) => name !== 'HEAD' && !session.isHidden(name))
        .map(({ name, id }) => ({ name, id })),
      capabilities: listOffers(RECEIVE_CAPABILITIES, session),
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
  const outcomes: CommandOutcome[] = request.commands.map((command) => ({ command, error: undefined }))
  const say = (text: string): void => {
    channel.say(text)
  }
  const onlyDeletes = request.commands.every(({ newId }) => newId === zeroId)
  const unpacked: Unpacked = onlyDeletes
    ? { kind: 'received', incoming: await repository.receivePack(undefined) }
    : yield* unpack(session, request, reader, channel)
  if (unpacked.kind === 'received') {
    const { incoming } = unpacked
    try {
      yield* channel.during(executeCommands({ session, incoming, say }, request, outcomes))
    } finally {
      await incoming.discard()
    }
  } else {
    for (const outcome of outcomes) outcome.error = 'unpacker error'
  }
  if (request.reportStatus) {
    const report = encodeReport(unpacked.kind === 'received' ? 'ok' : unpacked.status, outcomes)
    yield* channel.messages()
    yield* channel.data(report)
  }
  yield* channel.flush()
  if (request.packetMax > 0) yield FLUSH_PKT
}
