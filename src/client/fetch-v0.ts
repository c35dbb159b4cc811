import { decodeLatin1 } from '../bytes/text.ts'
import type { ObjectId } from '../object/object-id.ts'
import { encodePkt, FLUSH_PKT } from '../protocol/pkt-line.ts'
import { PktReader } from '../protocol/pkt-reader.ts'
import { readBands } from './band-reader.ts'
import type { Connection } from './connection.ts'
import type { Discovery } from './discover.ts'
import {
  addListed,
  deepenLines,
  readBoundaryLines,
  unoffered,
  type FetchedPack,
  type FetchRequest,
} from './fetch-request.ts'
import { HaveRounds } from './have-rounds.ts'
import type { RemoteMessages } from './remote-messages.ts'
import { parseRemoteId, remoteFault } from './remote-refs.ts'
import { compressRequest } from './request-body.ts'

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

  const rounds = new HaveRounds(request.haves, isDetailed)
  for (;;) {
    const { haves, done } = await rounds.next()
    const body = await compressRequest([
      ...fixed,
      FLUSH_PKT,
      ...haves.map((id) => encodePkt(`have ${id}\n`)),
      done ? encodePkt('done\n') : FLUSH_PKT,
    ])
    const answer = await connection.post('git-upload-pack', body.body, { ...headers, ...body.headers })
    const reader = new PktReader(answer)
    try {
      // In front of every answer when a depth was asked for.
      const boundary =
        request.deepen === undefined
          ? { shallow: [], unshallow: [] }
          : await readBoundaryLines(reader, 'flush', {
              objectFormat: discovery.objectFormat,
              maxRefs: connection.remote.limits.maxRefs,
            })
      const asked = { done, noDone: words.includes('no-done'), offered: haves.length }
      const news = await readAcknowledgments(reader, discovery, asked)
      rounds.learn(news.common, news.ready)
      if (news.packFollows) {
        const pack = hasBands ? readBands(reader, messages) : reader.rest()
        const close = async (): Promise<void> => {
          await answer.return()
        }
        return { ...boundary, wantedRefs: new Map(), pack, close }
      }
    } catch (error) {
      await answer.return()
      throw error
    }
    await answer.return()
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
  if (request.wantRefs.length > 0) throw unoffered('refs by name')
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
