import type { ObjectId } from '../../object/object-id.ts'
import { agentOf } from '../agent.ts'
import { chooseRows, listOffers, parseCapabilityList, type CapabilityOffer } from '../capability-list.ts'
import { encodePkt, FLUSH_PKT, gatherPackets } from '../pkt-line.ts'
import type { PktReader } from '../pkt-reader.ts'
import { protocolError } from '../protocol-error.ts'
import { encodeRefAdvertisement } from '../ref-advertisement.ts'
import type { ProtocolVersion } from '../protocol-version.ts'
import { SIDE_BAND_64K_PACKET_MAX, SIDE_BAND_PACKET_MAX } from '../side-band.ts'
import { parseWireId } from '../wire-id.ts'
import { listBoundaryLines, readClientBoundary, readUncoveredParents } from './client-boundary.ts'
import { CommonCommits } from './common-commits.ts'
import {
  addHave,
  addWant,
  asksToDeepen,
  createFetchRequest,
  DEPTH_LINES,
  takeLine,
  type FetchLine,
  type FetchRequest,
} from './fetch-request.ts'
import { bindFilter, FILTER_LINE } from './filter-request.ts'
import { sendPack } from './send-pack.ts'
import type { UploadSession } from './upload-session.ts'
import { assertWantsAllowed } from './want-policy.ts'

/** A request of version 0 or 1: what is asked for, and how the client wants to be answered. */
interface FetchRequestV0 extends FetchRequest {
  acks: 'single' | 'multi' | 'detailed'
  noDone: boolean
  packetMax: number
  /** The client has said that it knows filters. */
  knowsFilter: boolean
  agent: string | undefined
  sessionId: string | undefined
}

interface V0Offering {
  readonly session: UploadSession
  readonly symrefs: readonly string[]
}

interface V0Capability extends CapabilityOffer<V0Offering> {
  /** What it does when the client names it. Rows further down overrule rows further up. */
  readonly accept?: (request: FetchRequestV0, value: string) => void
}

/** The capabilities of versions 0 and 1 (gitprotocol-capabilities): what stands here is advertised and works. */
export const V0_CAPABILITIES: readonly V0Capability[] = [
  { name: 'multi_ack', accept: (request) => void (request.acks = 'multi') },
  { name: 'thin-pack', accept: (request) => void (request.thin = true) },
  { name: 'side-band', accept: (request) => void (request.packetMax = SIDE_BAND_PACKET_MAX) },
  { name: 'side-band-64k', accept: (request) => void (request.packetMax = SIDE_BAND_64K_PACKET_MAX) },
  { name: 'ofs-delta', accept: (request) => void (request.ofsDelta = true) },
  { name: 'shallow' },
  { name: 'deepen-since' },
  { name: 'deepen-not' },
  { name: 'deepen-relative', accept: (request) => void (request.relative = true) },
  { name: 'no-progress', accept: (request) => void (request.noProgress = true) },
  { name: 'include-tag', accept: (request) => void (request.includeTag = true) },
  { name: 'multi_ack_detailed', accept: (request) => void (request.acks = 'detailed') },
  {
    name: 'allow-tip-sha1-in-want',
    offer: ({ session: { options } }) =>
      options.allowTipSha1InWant === true || options.allowAnySha1InWant === true,
  },
  {
    name: 'allow-reachable-sha1-in-want',
    offer: ({ session: { options } }) =>
      options.allowReachableSha1InWant === true || options.allowAnySha1InWant === true,
  },
  { name: 'no-done', accept: (request) => void (request.noDone = true) },
  { name: 'symref', offer: ({ symrefs }) => symrefs },
  {
    name: 'filter',
    offer: ({ session: { options } }) => options.allowFilter !== false,
    accept: (request) => void (request.knowsFilter = true),
  },
  {
    name: 'session-id',
    offer: ({ session: { options } }) => options.sessionId?.() ?? false,
    accept: (request, value) => void (request.sessionId = value),
  },
  { name: 'object-format', offer: ({ session: { view } }) => view.format.name },
  {
    name: 'agent',
    offer: ({ session: { options } }) => agentOf(options),
    accept: (request, value) => void (request.agent = value),
  },
]

/** The ref advertisement of versions 0 and 1 for fetching (gitprotocol-pack, "Reference Discovery"). */
export async function* advertiseV0(
  session: UploadSession,
  version: ProtocolVersion,
): AsyncGenerator<Uint8Array, void, undefined> {
  const all = await session.repository.listAdvertisedRefs(session.view, { peel: true })
  const refs = all.filter(({ name }) => !session.isHidden(name))
  const head = refs.find(({ name }) => name === 'HEAD')
  const named = head?.symrefTarget ?? (await readUnbornHead(session, refs.length))
  const symrefs = named === undefined ? [] : [`HEAD:${named}`]
  yield* encodeRefAdvertisement({
    version,
    refs,
    capabilities: listOffers(chooseRows(V0_CAPABILITIES, 'v0', session.options.capabilities), {
      session,
      symrefs,
    }),
    shallow: await session.repository.storage.readShallow(),
    format: session.view.format,
  })
}

async function readUnbornHead(
  { options, repository }: UploadSession,
  refCount: number,
): Promise<string | undefined> {
  if (options.unbornSymref !== true || refCount > 0) return undefined
  const head = await repository.readHead()
  return head?.kind === 'symbolic' ? head.target : undefined
}

/**
 * Answers one stateless request of version 0 or 1: wants, then all that has been negotiated so far, then perhaps `done`. A
 * request without a second part is answered with the new shallow boundary only.
 */
export async function* serveV0(
  session: UploadSession,
  reader: PktReader,
  version: ProtocolVersion,
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = await readWants(session, reader)
  if (request.wants.size === 0) return
  const { agent, sessionId } = request
  await session.options.onClient?.({ version, command: 'fetch', agent, sessionId, serverOptions: [] })
  const wants = [...request.wants]
  await assertWantsAllowed(session, wants)
  const filter = request.filter === undefined ? undefined : await bindFilter(session, request.filter)

  const boundary = await readClientBoundary(session, request, false)
  if (asksToDeepen(request)) {
    yield* gatherPackets(listBoundaryLines(boundary).map((line) => encodePkt(line)))
    yield FLUSH_PKT
  }
  if ((await reader.peek()).kind === 'eof') return
  const ended = await readHaves(reader, request)
  // Also where the boundary moves away the client does not know what lies behind it yet; it is wanted apart.
  const shallow = new Set([...boundary.clientShallow, ...boundary.shallow])
  const starts = [...wants, ...(await readUncoveredParents(session, boundary))]
  const common = new CommonCommits(session.view, starts, shallow)
  if (!(yield* negotiate(common, request, ended))) return
  yield* sendPack(session, {
    request,
    wants,
    boundary,
    filter,
    haves: common.haves,
    packetMax: request.packetMax,
  })
}

/** The lines that may stand among and after those that begin with `want`. */
const OTHER_LINES: readonly FetchLine[] = [...DEPTH_LINES, FILTER_LINE]

function mayFilter({ options }: UploadSession, request: FetchRequestV0): boolean {
  return request.knowsFilter && options.allowFilter !== false
}

async function readWants(session: UploadSession, reader: PktReader): Promise<FetchRequestV0> {
  const request: FetchRequestV0 = {
    ...createFetchRequest(session.view.format, session.limits),
    acks: 'single',
    noDone: false,
    packetMax: 0,
    knowsFilter: false,
    agent: undefined,
    sessionId: undefined,
  }
  const offered = chooseRows(V0_CAPABILITIES, 'v0', session.options.capabilities)
  for (let lineCount = 0; ; lineCount++) {
    const line = await reader.readLine()
    if (line.kind === 'eof' && lineCount === 0) throw protocolError('the request is empty; expected a want')
    if (line.kind === 'eof' && request.wants.size > 0)
      throw protocolError('the remote end hung up unexpectedly')
    if (line.kind !== 'line') return request
    if (takeLine(OTHER_LINES, request, line.text)) {
      if (request.filter !== undefined && !mayFilter(session, request))
        throw protocolError('git upload-pack: filtering capability not negotiated')
    } else takeWant(request, line.text, offered)
  }
}

function takeWant(request: FetchRequestV0, line: string, offered: readonly V0Capability[]): void {
  const end = 'want '.length + request.format.hexLength
  const id = line.startsWith('want ')
    ? parseWireId(line.slice('want '.length, end), request.format)
    : undefined
  if (id === undefined || /[0-9a-fA-F]/.test(line.charAt(end))) {
    throw protocolError(`git upload-pack: protocol error, expected to get object ID, not '${line}'`)
  }
  addWant(request, id)
  const words = parseCapabilityList(line.slice(end))
  for (const { name, accept } of offered) {
    const value = words.get(name)
    if (value !== undefined) accept?.(request, value)
  }
  const format = words.get('object-format')
  if (format !== undefined && format !== request.format.name) {
    throw protocolError(`mismatched object format: server ${request.format.name}; client ${format}`)
  }
}

/** Reads `have` lines; returns what ended them. */
async function readHaves(reader: PktReader, request: FetchRequest): Promise<'done' | 'flush'> {
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'eof') throw protocolError('the remote end hung up unexpectedly')
    if (line.kind !== 'line') return 'flush'
    if (line.text === 'done') return 'done'
    if (!line.text.startsWith('have '))
      throw protocolError(`git upload-pack: expected SHA1 list, got '${line.text}'`)
    addHave(request, line.text.slice('have '.length))
  }
}

/** Answers the `have` lines in the manner the client chose; returns whether a pack follows. */
async function* negotiate(
  common: CommonCommits,
  request: FetchRequestV0,
  ended: 'done' | 'flush',
): AsyncGenerator<Uint8Array, boolean, undefined> {
  const { acks } = request
  let last: ObjectId | undefined
  let hasOther = false
  let isReady = false
  for await (const { id, common: isCommon } of common.add(request.haves)) {
    if (isCommon) {
      last = id
      if (acks === 'detailed') yield encodePkt(`ACK ${id} common\n`)
      else if (acks === 'multi') yield encodePkt(`ACK ${id} continue\n`)
      else if (common.haves.length === 1) yield encodePkt(`ACK ${id}\n`)
    } else {
      hasOther = true
      if (acks === 'single' || !(await common.isReady(false))) continue
      isReady ||= acks === 'detailed'
      yield encodePkt(`ACK ${id} ${acks === 'detailed' ? 'ready' : 'continue'}\n`)
    }
  }
  if (ended === 'done') {
    if (last === undefined) yield encodePkt('NAK\n')
    else if (acks !== 'single') yield encodePkt(`ACK ${last}\n`)
    return true
  }
  if (acks === 'detailed' && last !== undefined && !hasOther && (await common.isReady(true))) {
    isReady = true
    yield encodePkt(`ACK ${last} ready\n`)
  }
  if (last === undefined || acks !== 'single') yield encodePkt('NAK\n')
  if (!request.noDone || !isReady || last === undefined) return false
  yield encodePkt(`ACK ${last}\n`)
  return true
}
