import { decodeLatin1 } from '../bytes/text.ts'
import type { ObjectId } from '../object/object-id.ts'
import { encodePkt, FLUSH_PKT } from '../protocol/pkt-line.ts'
import { PktReader } from '../protocol/pkt-reader.ts'
import { readBands } from './band-reader.ts'
import type { BodyStream } from './body-stream.ts'
import type { Connection } from './connection.ts'
import type { Discovery } from './discover.ts'
import {
  addListed,
  deepenLines,
  FIRST_BATCH,
  MAX_IN_VAIN,
  nextBatch,
  takeHaves,
  unoffered,
  type FetchedPack,
  type FetchRequest,
} from './fetch-request.ts'
import type { RemoteMessages } from './remote-messages.ts'
import { parseRemoteId, remoteFault } from './remote-refs.ts'
import { compressRequest } from './request-body.ts'

/** How many haves are offered to a remote that cannot say which of them it has. */
const BLIND_HAVES = 256

interface Round {
  readonly reader: PktReader
  readonly answer: BodyStream
}

/** Fetches in versions 0 and 1 (gitprotocol-pack, "Packfile Negotiation"), each round in a request of its own. */
export async function fetchPackV0(
  connection: Connection,
  discovery: Discovery,
  request: FetchRequest,
  messages: RemoteMessages,
): Promise<FetchedPack> {
  const words = chooseCapabilities(connection, discovery, request, messages.isHeard)
  const isDetailed = words.includes('multi_ack_detailed')
  const hasBands = words.includes('side-band-64k') || words.includes('side-band')
  const headers: Record<string, string> = discovery.version === 1 ? { 'Git-Protocol': 'version=1' } : {}
  const fixed = [
    ...request.wants.map((id, at) => `want ${id}${at === 0 ? ` ${words.join(' ')}` : ''}`),
    ...request.shallow.map((id) => `shallow ${id}`),
    ...(request.deepen === undefined ? [] : deepenLines(request.deepen)),
    ...(request.filter === undefined ? [] : [`filter ${request.filter}`]),
  ].map((line) => encodePkt(`${line}\n`))

  const common: ObjectId[] = []
  let batch = isDetailed ? FIRST_BATCH : BLIND_HAVES
  let inVain = 0
  let isReady = false
  for (;;) {
    const haves = isReady ? [] : await takeHaves(request.haves, batch)
    inVain += haves.length
    const done =
      isReady || !isDetailed || haves.length < batch || (common.length > 0 && inVain >= MAX_IN_VAIN)
    const lines = [...common, ...haves].map((id) => encodePkt(`have ${id}\n`))
    const body = await compressRequest([
      ...fixed,
      FLUSH_PKT,
      ...lines,
      done ? encodePkt('done\n') : FLUSH_PKT,
    ])
    const answer = await connection.post('git-upload-pack', body.body, { ...headers, ...body.headers })
    const round = { reader: new PktReader(answer), answer }
    try {
      const boundary = await readBoundary(round.reader, discovery, request, connection.remote.limits.maxRefs)
      const asked = { done, noDone: words.includes('no-done'), offered: common.length + haves.length }
      const news = await readAcknowledgments(round.reader, discovery, asked)
      for (const id of news.common) {
        if (request.haves?.acknowledge(id) !== true) continue
        common.push(id)
        inVain = 0
      }
      if (news.packFollows) return { ...boundary, ...packOf(round, hasBands, messages) }
      isReady = news.ready
    } catch (error) {
      await answer.return()
      throw error
    }
    await answer.return()
    batch = nextBatch(batch)
  }
}

function chooseCapabilities(
  { remote }: Connection,
  { capabilities, objectFormat }: Discovery,
  request: FetchRequest,
  wantsProgress: boolean,
): readonly string[] {
  const { deepen, filter } = request
  const isOffered = (name: string): boolean => capabilities.has(name)
  const isShallow = deepen !== undefined || request.shallow.length > 0
  if (isShallow && !isOffered('shallow')) throw unoffered('shallow histories')
  if (deepen?.since !== undefined && !isOffered('deepen-since')) throw unoffered('histories since a date')
  if (deepen?.not !== undefined && !isOffered('deepen-not')) throw unoffered('histories that leave out a ref')
  if (deepen?.relative === true && !isOffered('deepen-relative')) throw unoffered('relative depths')
  if (filter !== undefined && !isOffered('filter')) throw unoffered('filters')
  const words = [
    'multi_ack_detailed',
    ...(isOffered('multi_ack_detailed') ? ['no-done'] : []),
    isOffered('side-band-64k') ? 'side-band-64k' : 'side-band',
    ...(request.thin ? ['thin-pack'] : []),
    ...(wantsProgress ? [] : ['no-progress']),
    ...(request.includeTag ? ['include-tag'] : []),
    'ofs-delta',
    ...(deepen?.since === undefined ? [] : ['deepen-since']),
    ...(deepen?.not === undefined ? [] : ['deepen-not']),
    ...(deepen?.relative === true ? ['deepen-relative'] : []),
    ...(filter === undefined ? [] : ['filter']),
  ].filter(isOffered)
  if (isOffered('object-format')) words.push(`object-format=${objectFormat}`)
  if (isOffered('agent')) words.push(`agent=${remote.agent}`)
  return words
}

interface Boundary {
  readonly shallow: readonly ObjectId[]
  readonly unshallow: readonly ObjectId[]
}

/** The new boundary, which stands in front of every answer when a depth was asked for. */
async function readBoundary(
  reader: PktReader,
  { objectFormat }: Discovery,
  request: FetchRequest,
  maximum: number,
): Promise<Boundary> {
  const shallow: ObjectId[] = []
  const unshallow: ObjectId[] = []
  if (request.deepen === undefined) return { shallow, unshallow }
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') return { shallow, unshallow }
    const [keyword, id] = line.kind === 'line' ? line.text.split(' ') : []
    if (keyword === 'shallow' && id !== undefined)
      addListed(shallow, parseRemoteId(id, objectFormat), maximum)
    else if (keyword === 'unshallow' && id !== undefined)
      addListed(unshallow, parseRemoteId(id, objectFormat), maximum)
    else throw remoteFault('expected the boundary of a shallow history from the remote')
  }
}

interface Acknowledgments {
  readonly common: readonly ObjectId[]
  readonly ready: boolean
  readonly packFollows: boolean
}

/** Reads up to the line behind which the pack begins, or the round ends. */
async function readAcknowledgments(
  reader: PktReader,
  { objectFormat }: Discovery,
  { done, noDone, offered }: { readonly done: boolean; readonly noDone: boolean; readonly offered: number },
): Promise<Acknowledgments> {
  const common: ObjectId[] = []
  let ready = false
  for (;;) {
    const line = await reader.readLine()
    if (line.kind !== 'line') throw remoteFault('expected acknowledgments from the remote')
    if (line.text === 'NAK') {
      if (done) return { common, ready, packFollows: true }
      // A remote that is ready and need not hear `done` goes on to the pack behind one more line.
      if (ready && noDone) continue
      return { common, ready, packFollows: false }
    }
    const [keyword, id = '', state] = line.text.split(' ')
    if (keyword !== 'ACK') throw remoteFault(`expected an acknowledgment, not '${line.text.slice(0, 80)}'`)
    const acknowledged = parseRemoteId(id, objectFormat)
    if (state === undefined) {
      if (!done && !(ready && noDone)) throw remoteFault('the remote acknowledges before it was asked to end')
      while (await isAcknowledgment(reader)) await reader.readLine()
      return { common, ready, packFollows: true }
    }
    if (state === 'common') addListed(common, acknowledged, offered)
    else if (state === 'ready') ready = true
    else if (state !== 'continue') throw remoteFault(`unknown acknowledgment '${line.text.slice(0, 80)}'`)
  }
}

/**
 * Whether one more acknowledgment comes, and not the pack: a remote that cannot acknowledge in detail may repeat itself for haves that
 * it knows by their children.
 */
async function isAcknowledgment(reader: PktReader): Promise<boolean> {
  return decodeLatin1(await reader.peekBytes(8)).slice(4) === 'ACK '
}

function packOf(
  { reader, answer }: Round,
  hasBands: boolean,
  messages: RemoteMessages,
): Pick<FetchedPack, 'pack' | 'close'> {
  return {
    pack: hasBands ? readBands(reader, messages) : reader.rest(),
    close: async () => {
      await answer.return()
    },
  }
}
