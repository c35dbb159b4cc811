import { DELIM_PKT, encodePkt, FLUSH_PKT, gatherPackets } from '../pkt-line.ts'
import { protocolError } from '../protocol-error.ts'
import { SIDE_BAND_64K_PACKET_MAX } from '../side-band.ts'
import { parseWireId } from '../wire-id.ts'
import { encodeBoundaryLines, readClientBoundary } from './client-boundary.ts'
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
import { sendPack } from './send-pack.ts'
import type { UploadSession } from './upload-session.ts'
import { assertWantsPresent } from './want-policy.ts'

interface FetchArgument extends FetchLine {
  /** The word by which `fetch=…` advertises it; absent for what every server knows. */
  readonly feature?: string
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
]

/** The value of the `fetch` capability. */
export const FETCH_FEATURES: readonly string[] = /* @__PURE__ */ [
  ...new Set(FETCH_ARGUMENTS.flatMap(({ feature }) => (feature === undefined ? [] : [feature]))),
]

/**
 * The v2 command `fetch` (gitprotocol-v2). With `have` lines and without `done` the answer begins with acknowledgments, and
 * ends there unless enough is known for a pack.
 */
export async function* fetchV2(
  session: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = createFetchRequest(session.view.format, session.limits)
  for (const line of lines) {
    if (!takeLine(FETCH_ARGUMENTS, request, line)) throw protocolError(`unexpected line: '${line}'`)
  }
  if (request.wants.size === 0) return
  await assertWantsPresent(session.view, request.wants)

  const common = new CommonCommits(session.view, request.wants)
  if (request.haves.length > 0 && !(yield* acknowledge(common, request))) return

  const boundary = await readClientBoundary(session, request, true)
  if (asksToDeepen(request) || boundary.clientShallow.length > 0 || session.view.shallow.size > 0) {
    yield encodePkt('shallow-info\n')
    yield* gatherPackets(encodeBoundaryLines(boundary))
    yield DELIM_PKT
  }
  yield encodePkt('packfile\n')
  yield* sendPack(session, { request, boundary, haves: common.haves, packetMax: SIDE_BAND_64K_PACKET_MAX })
}

/** Takes the `have` lines; returns whether a pack follows. */
async function* acknowledge(
  common: CommonCommits,
  request: FetchRequest,
): AsyncGenerator<Uint8Array, boolean, undefined> {
  const acks: string[] = []
  for await (const have of common.add(request.haves)) {
    if (have.common) acks.push(have.id)
  }
  if (request.done) return true
  yield encodePkt('acknowledgments\n')
  if (acks.length === 0) yield encodePkt('NAK\n')
  yield* gatherPackets(acks.map((id) => encodePkt(`ACK ${id}\n`)))
  if (!(await common.isReady(true))) {
    yield FLUSH_PKT
    return false
  }
  yield encodePkt('ready\n')
  yield DELIM_PKT
  return true
}
