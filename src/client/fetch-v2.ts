import { GitError } from '../errors.ts'
import type { ObjectFormatName } from '../object/object-format.ts'
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
  readBoundaryLines,
  unoffered,
  type FetchedPack,
  type FetchRequest,
  type SaidBoundary,
} from './fetch-request.ts'
import { HaveRounds } from './have-rounds.ts'
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
  const fixed = [
    ...encodeCommand(connection, discovery, 'fetch'),
    ...argumentLines(discovery, request, messages.isHeard).map((line) => encodePkt(`${line}\n`)),
  ]
  const rounds = new HaveRounds(request.haves, true)
  for (;;) {
    const { haves, done } = await rounds.next()
    const { body, headers } = await compressRequest([
      ...fixed,
      ...haves.map((id) => encodePkt(`have ${id}\n`)),
      ...(done ? [encodePkt('done\n')] : []),
      FLUSH_PKT,
    ])
    const answer = await connection.post('git-upload-pack', body, { ...headers, 'Git-Protocol': 'version=2' })
    const reader = new PktReader(answer)
    try {
      const { maxRefs } = connection.remote.limits
      const sections = { reader, answer, discovery, messages, maxRefs }
      if (done) return await readSections(sections)
      const news = await readAcknowledgments(reader, discovery, haves.length)
      rounds.learn(news.acks, news.ready)
      if (news.ready) return await readSections(sections)
    } catch (error) {
      await answer.return()
      throw error
    }
    await answer.return()
  }
}

/** What a remote of version 2 offers of the command `fetch`. */
export function fetchFeatures({ capabilities }: Discovery): readonly string[] {
  return (capabilities.get('fetch') ?? '').split(' ')
}

function argumentLines(
  discovery: Discovery,
  request: FetchRequest,
  wantsProgress: boolean,
): readonly string[] {
  const features = fetchFeatures(discovery)
  const { deepen, filter, shallow } = request
  if ((deepen !== undefined || shallow.length > 0) && !features.includes('shallow')) {
    throw unoffered('shallow histories')
  }
  if (filter !== undefined && !features.includes('filter')) throw unoffered('filters')
  if (request.wantRefs.length > 0 && !features.includes('ref-in-want')) throw unoffered('refs by name')
  if (request.wantRefs.some((name) => /[\s\0]/.test(name)))
    throw new GitError('INVALID_ARGUMENT', 'a ref to ask for has a blank in its name')
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
    ...request.wantRefs.map((name) => `want-ref ${name}`),
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
  let boundary: SaidBoundary = { shallow: [], unshallow: [] }
  let wantedRefs: ReadonlyMap<string, ObjectId> = new Map()
  for (;;) {
    const header = await reader.readLine()
    const section = header.kind === 'line' ? header.text : header.kind
    if (section === 'packfile') {
      const close = async (): Promise<void> => {
        await answer.return()
      }
      return { ...boundary, wantedRefs, pack: readBands(reader, messages), close }
    } else if (section === 'shallow-info') {
      boundary = await readBoundaryLines(reader, 'delim', { objectFormat, maxRefs })
    } else if (section === 'wanted-refs') {
      wantedRefs = await readWantedRefs(reader, objectFormat, maxRefs)
    } else {
      throw remoteFault(`expected a pack from the remote, but found '${section.slice(0, 80)}'`)
    }
  }
}

async function readWantedRefs(
  reader: PktReader,
  objectFormat: ObjectFormatName,
  maxRefs: number,
): Promise<ReadonlyMap<string, ObjectId>> {
  const refs = new Map<string, ObjectId>()
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'delim') return refs
    const [id = '', name] = line.kind === 'line' ? line.text.split(' ') : []
    if (name === undefined || refs.size === maxRefs)
      throw remoteFault('the remote sent something else than the refs that were asked for')
    refs.set(name, parseRemoteId(id, objectFormat))
  }
}
