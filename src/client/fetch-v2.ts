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
import { encodeCommand } from './ls-refs.ts'
import type { RemoteMessages } from './remote-messages.ts'
import { parseRemoteId, remoteFault } from './remote-refs.ts'
import { compressRequest } from './request-body.ts'

/**
 * Fetches by the command `fetch` of version 2: rounds of haves until the remote is ready, or until there is nothing left to offer.
 */
export async function fetchPackV2(
  connection: Connection,
  discovery: Discovery,
  request: FetchRequest,
  messages: RemoteMessages,
): Promise<FetchedPack> {
  const common: ObjectId[] = []
  const fixed = [
    ...encodeCommand(connection, discovery, 'fetch'),
    ...argumentLines(discovery, request, messages.isHeard).map((line) => encodePkt(`${line}\n`)),
  ]
  let batch = FIRST_BATCH
  let inVain = 0
  for (;;) {
    const haves = await takeHaves(request.haves, batch)
    inVain += haves.length
    const done = haves.length < batch || (common.length > 0 && inVain >= MAX_IN_VAIN)
    const lines = [...common, ...haves].map((id) => encodePkt(`have ${id}\n`))
    const { body, headers } = await compressRequest([
      ...fixed,
      ...lines,
      ...(done ? [encodePkt('done\n')] : []),
      FLUSH_PKT,
    ])
    const answer = await connection.post('git-upload-pack', body, { ...headers, 'Git-Protocol': 'version=2' })
    const reader = new PktReader(answer)
    try {
      const { maxRefs } = connection.remote.limits
      const sections = { reader, answer, discovery, messages, maxRefs }
      if (done) return await readSections(sections)
      const news = await readAcknowledgments(reader, discovery, common.length + haves.length)
      for (const id of news.acks) {
        if (request.haves?.acknowledge(id) !== true) continue
        common.push(id)
        inVain = 0
      }
      if (news.ready) return await readSections(sections)
    } catch (error) {
      await answer.return()
      throw error
    }
    await answer.return()
    batch = nextBatch(batch)
  }
}

function argumentLines(
  discovery: Discovery,
  request: FetchRequest,
  wantsProgress: boolean,
): readonly string[] {
  const features = (discovery.capabilities.get('fetch') ?? '').split(' ')
  const { deepen, filter, shallow } = request
  if ((deepen !== undefined || shallow.length > 0) && !features.includes('shallow')) {
    throw unoffered('shallow histories')
  }
  if (filter !== undefined && !features.includes('filter')) throw unoffered('filters')
  return [
    ...(request.thin ? ['thin-pack'] : []),
    ...(wantsProgress ? [] : ['no-progress']),
    ...(request.includeTag ? ['include-tag'] : []),
    'ofs-delta',
    ...shallow.map((id) => `shallow ${id}`),
    ...(deepen === undefined ? [] : deepenLines(deepen)),
    ...(deepen?.relative === true ? ['deepen-relative'] : []),
    ...(filter === undefined ? [] : [`filter ${filter}`]),
    ...request.wants.map((id) => `want ${id}`),
  ]
}

async function readAcknowledgments(
  reader: PktReader,
  { objectFormat }: Discovery,
  offered: number,
): Promise<{ readonly acks: readonly ObjectId[]; readonly ready: boolean }> {
  const header = await reader.readLine()
  if (header.kind !== 'line' || header.text !== 'acknowledgments') {
    throw remoteFault('expected acknowledgments from the remote')
  }
  const acks: ObjectId[] = []
  let ready = false
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush' || line.kind === 'delim') {
      if (ready !== (line.kind === 'delim'))
        throw remoteFault('the remote ends its acknowledgments the wrong way')
      return { acks, ready }
    }
    if (line.kind !== 'line') throw remoteFault('the acknowledgments end early')
    if (line.text === 'ready') ready = true
    else if (line.text.startsWith('ACK '))
      addListed(acks, parseRemoteId(line.text.slice(4), objectFormat), offered)
    else if (line.text !== 'NAK') throw remoteFault(`unexpected acknowledgment: '${line.text.slice(0, 80)}'`)
  }
}

interface Sections {
  readonly reader: PktReader
  readonly answer: BodyStream
  readonly discovery: Discovery
  readonly messages: RemoteMessages
  readonly maxRefs: number
}

async function readSections({
  reader,
  answer,
  discovery,
  messages,
  maxRefs,
}: Sections): Promise<FetchedPack> {
  const { objectFormat } = discovery
  const shallow: ObjectId[] = []
  const unshallow: ObjectId[] = []
  for (;;) {
    const header = await reader.readLine()
    if (header.kind === 'line' && header.text === 'packfile') {
      const close = async (): Promise<void> => {
        await answer.return()
      }
      return { shallow, unshallow, pack: readBands(reader, messages), close }
    }
    if (header.kind !== 'line' || header.text !== 'shallow-info') {
      const found = header.kind === 'line' ? `'${header.text.slice(0, 80)}'` : header.kind
      throw remoteFault(`expected a pack from the remote, but found ${found}`)
    }
    for (;;) {
      const line = await reader.readLine()
      if (line.kind === 'delim') break
      const [keyword, id] = line.kind === 'line' ? line.text.split(' ') : []
      if (keyword === 'shallow' && id !== undefined)
        addListed(shallow, parseRemoteId(id, objectFormat), maxRefs)
      else if (keyword === 'unshallow' && id !== undefined)
        addListed(unshallow, parseRemoteId(id, objectFormat), maxRefs)
      else throw remoteFault('the remote sent something else than its shallow commits')
    }
  }
}
