import type { ObjectId } from '../../object/object-id.ts'
import type { FetchPlan } from '../../repository/outgoing-pack.ts'
import { DELIM_PKT, encodePkt, FLUSH_PKT, gatherPackets } from '../pkt-line.ts'
import { protocolError } from '../protocol-error.ts'
import { encodeBand, SIDE_BAND_64K_PACKET_MAX } from '../side-band.ts'
import { parseWireId } from '../wire-id.ts'
import { listBoundaryLines, readClientBoundary } from './client-boundary.ts'
import { CommonCommits } from './common-commits.ts'
import {
  addHave,
  addWant,
  addWantedRef,
  asksToDeepen,
  createFetchRequest,
  DEPTH_LINES,
  takeLine,
  type FetchLine,
  type FetchRequest,
} from './fetch-request.ts'
import { bindFilter, FILTER_LINE } from './filter-request.ts'
import { sendPack, type PackOrder } from './send-pack.ts'
import type { PackfileUri, UploadPackOptions } from './upload-options.ts'
import type { UploadSession } from './upload-session.ts'
import { assertWantsPresent } from './want-policy.ts'
import { resolveWantedRefs } from './wanted-refs.ts'

interface FetchArgument extends FetchLine {
  /** The word by which `fetch=…` advertises it; absent for what every server knows. */
  readonly feature?: string
  /** Whether it is advertised and taken. Default true. */
  readonly offer?: (options: UploadPackOptions) => boolean
}

const FETCH_ARGUMENTS: readonly FetchArgument[] = [
  {
    keyword: 'want',
    hasValue: true,
    take(request, value, line) {
      const id = parseWireId(value, request.format)
      if (id === undefined) {
        throw protocolError(`git upload-pack: protocol error, expected to get oid, not '${line}'`)
      }
      addWant(request, id)
    },
  },
  { keyword: 'have', hasValue: true, take: addHave },
  { keyword: 'done', hasValue: false, take: (request) => void (request.done = true) },
  { keyword: 'thin-pack', hasValue: false, take: (request) => void (request.thin = true) },
  { keyword: 'ofs-delta', hasValue: false, take: (request) => void (request.ofsDelta = true) },
  { keyword: 'no-progress', hasValue: false, take: (request) => void (request.noProgress = true) },
  { keyword: 'include-tag', hasValue: false, take: (request) => void (request.includeTag = true) },
  ...DEPTH_LINES.map((line) => ({ ...line, feature: 'shallow' })),
  {
    keyword: 'deepen-relative',
    hasValue: false,
    feature: 'shallow',
    take: (request) => void (request.relative = true),
  },
  {
    keyword: 'wait-for-done',
    hasValue: false,
    feature: 'wait-for-done',
    take: (request) => void (request.waitForDone = true),
  },
  { ...FILTER_LINE, feature: 'filter', offer: ({ allowFilter }) => allowFilter !== false },
  {
    keyword: 'want-ref',
    hasValue: true,
    feature: 'ref-in-want',
    offer: ({ allowRefInWant }) => allowRefInWant === true,
    take: addWantedRef,
  },
  {
    keyword: 'sideband-all',
    hasValue: false,
    feature: 'sideband-all',
    offer: ({ allowSidebandAll }) => allowSidebandAll === true,
    take: (request) => void (request.sidebandAll = true),
  },
  {
    keyword: 'packfile-uris',
    hasValue: true,
    feature: 'packfile-uris',
    offer: ({ packfileUris }) => packfileUris !== undefined && packfileUris.length > 0,
    take: (request, value) => void (request.uriProtocols = value.split(',')),
  },
]

/** Every word that the `fetch` capability may have. */
export const FETCH_FEATURES: readonly string[] = /* @__PURE__ */ [
  ...new Set(FETCH_ARGUMENTS.flatMap(({ feature }) => (feature === undefined ? [] : [feature]))),
]

function isOffered({ offer, feature }: FetchArgument, options: UploadPackOptions): boolean {
  const { capabilities } = options
  const isChosen =
    feature === undefined || capabilities === undefined || capabilities.includes(`v2/fetch=${feature}`)
  return isChosen && (offer === undefined || offer(options))
}

/** The value of the `fetch` capability. */
export function listFetchFeatures(options: UploadPackOptions): string {
  const offered = new Set(FETCH_ARGUMENTS.filter((row) => isOffered(row, options)).map((row) => row.feature))
  return FETCH_FEATURES.filter((feature) => offered.has(feature)).join(' ')
}

/**
 * The v2 command `fetch` (gitprotocol-v2). With `have` lines and without `done` the answer begins with acknowledgments, and
 * ends there unless enough is known for a pack.
 */
export async function* fetchV2(
  session: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = readRequest(session, lines)
  const encode = request.sidebandAll ? encodeBandLine : encodePkt
  const wantedRefs = await resolveWantedRefs(session, request)
  if (request.wants.size === 0 && !request.waitForDone) return
  const wants = [...request.wants]
  await assertWantsPresent(session.view, wants)
  const filter = request.filter === undefined ? undefined : await bindFilter(session, request.filter)

  const common = new CommonCommits(session.view, request.wants)
  if (request.haves.length > 0 && !(yield* acknowledge(common, request, encode))) return

  const boundary = await readClientBoundary(session, request, true)
  if (asksToDeepen(request) || boundary.clientShallow.length > 0 || session.view.shallow.size > 0) {
    yield* encodeSection(encode, 'shallow-info', listBoundaryLines(boundary))
  }
  if (wantedRefs.length > 0) {
    const refLines = wantedRefs.map(({ id, name }) => `${id} ${name}\n`)
    yield* encodeSection(encode, 'wanted-refs', refLines)
  }
  const order = { request, wants, boundary, filter, haves: common.haves, packetMax: SIDE_BAND_64K_PACKET_MAX }
  const uris = selectUris(session.options.packfileUris, request.uriProtocols)
  if (uris.size > 0) {
    yield* sendPack(session, { ...order, ...announceUris(uris, encode) })
  } else {
    yield encode('packfile\n')
    yield* sendPack(session, order)
  }
}

function readRequest(session: UploadSession, lines: readonly string[]): FetchRequest {
  const { options } = session
  const request = createFetchRequest(session.view.format, session.limits)
  const table = FETCH_ARGUMENTS.filter((row) => isOffered(row, options))
  for (const line of lines) {
    if (!takeLine(table, request, line)) throw protocolError(`unexpected line: '${line}'`)
  }
  return request
}

type EncodeLine = (line: string) => Uint8Array

function encodeBandLine(line: string): Uint8Array {
  return encodeBand(1, line, SIDE_BAND_64K_PACKET_MAX)
}

function* encodeSection(
  encode: EncodeLine,
  name: string,
  lines: readonly string[],
): Generator<Uint8Array, void, undefined> {
  yield* gatherPackets([encode(`${name}\n`), ...lines.map((line) => encode(line)), DELIM_PKT])
}

/** The configured addresses that the client may use, by object. */
function selectUris(
  uris: readonly PackfileUri[] = [],
  protocols: readonly string[] = [],
): ReadonlyMap<ObjectId, PackfileUri> {
  const usable = uris.filter(({ uri }) => protocols.some((protocol) => uri.startsWith(`${protocol}:`)))
  return new Map(usable.map((entry) => [entry.object, entry]))
}

/** Leaves objects out of a pack and tells where the packs are that hold them. */
function announceUris(
  uris: ReadonlyMap<ObjectId, PackfileUri>,
  encode: EncodeLine,
): Pick<PackOrder, 'elsewhere' | 'announce'> {
  return {
    elsewhere: [...uris.keys()],
    *announce({ leftOut }: FetchPlan) {
      const lines = leftOut.flatMap((id) => uris.get(id) ?? []).map(({ pack, uri }) => `${pack} ${uri}\n`)
      if (lines.length > 0) yield* encodeSection(encode, 'packfile-uris', [...new Set(lines)])
      yield encode('packfile\n')
    },
  }
}

/** Takes the `have` lines; returns whether a pack follows. */
async function* acknowledge(
  common: CommonCommits,
  request: FetchRequest,
  encode: EncodeLine,
): AsyncGenerator<Uint8Array, boolean, undefined> {
  const acks: string[] = []
  for await (const have of common.add(request.haves)) {
    if (have.common) acks.push(have.id)
  }
  if (request.done) return true
  yield encode('acknowledgments\n')
  if (acks.length === 0) yield encode('NAK\n')
  yield* gatherPackets(acks.map((id) => encode(`ACK ${id}\n`)))
  if (request.waitForDone || !(await common.isReady(true))) {
    yield FLUSH_PKT
    return false
  }
  yield encode('ready\n')
  yield DELIM_PKT
  return true
}
