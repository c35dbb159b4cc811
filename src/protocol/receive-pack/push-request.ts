import { equalBytes } from '../../bytes/compare.ts'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { agentOf } from '../agent.ts'
import { chooseRows, parseCapabilityList, type CapabilityOffer } from '../capability-list.ts'
import { decodeLine, type PktReader } from '../pkt-reader.ts'
import { assertWithin, protocolError } from '../protocol-error.ts'
import { SIDE_BAND_64K_PACKET_MAX } from '../side-band.ts'
import { parseWireId } from '../wire-id.ts'
import type { ReceiveSession } from './receive-session.ts'

/** One change that a push asks for. The all-zero id stands for "no ref". */
export interface PushCommand {
  readonly name: string
  readonly oldId: ObjectId
  readonly newId: ObjectId
  /** Whether the name's bytes are UTF-8; others have no name here. */
  readonly hasTextName: boolean
}

/** What a push asks for, and how the client wants to be answered. */
export interface PushRequest {
  readonly commands: PushCommand[]
  /** The boundary of the client's history. */
  readonly clientShallow: Set<ObjectId>
  /** What the commands came to is reported in this version of the report; 0 for no report. */
  reportVersion: 0 | 1 | 2
  /** Whether push options follow the commands. */
  hasPushOptions: boolean
  readonly pushOptions: string[]
  quiet: boolean
  atomic: boolean
  /** Packet size of the side-band, 0 for none. */
  packetMax: number
}

/** A request in which nothing has been asked for yet. */
export function createPushRequest(): PushRequest {
  return {
    commands: [],
    clientShallow: new Set(),
    reportVersion: 0,
    hasPushOptions: false,
    pushOptions: [],
    quiet: false,
    atomic: false,
    packetMax: 0,
  }
}

/** What the offers of pushing depend on. */
interface ReceiveOffering {
  readonly session: ReceiveSession
  readonly symrefs: readonly string[]
}

interface ReceiveCapability extends CapabilityOffer<ReceiveOffering> {
  readonly accept?: (request: PushRequest) => void
}

/** The capabilities of pushing (gitprotocol-capabilities): what stands here is advertised and works. */
export const RECEIVE_CAPABILITIES: readonly ReceiveCapability[] = [
  {
    name: 'report-status',
    accept: (request) => void (request.reportVersion = request.reportVersion === 2 ? 2 : 1),
  },
  { name: 'report-status-v2', accept: (request) => void (request.reportVersion = 2) },
  { name: 'delete-refs' },
  { name: 'side-band-64k', accept: (request) => void (request.packetMax = SIDE_BAND_64K_PACKET_MAX) },
  { name: 'quiet', accept: (request) => void (request.quiet = true) },
  {
    name: 'atomic',
    offer: ({ session: { options } }) => options.advertiseAtomic !== false,
    accept: (request) => void (request.atomic = true),
  },
  { name: 'ofs-delta' },
  {
    name: 'push-options',
    offer: ({ session: { options } }) => options.advertisePushOptions === true,
    accept: (request) => void (request.hasPushOptions = true),
  },
  { name: 'symref', offer: ({ symrefs }) => symrefs },
  { name: 'session-id', offer: ({ session: { options } }) => options.sessionId?.() ?? false },
  { name: 'object-format', offer: ({ session: { repository } }) => repository.format.name },
  { name: 'agent', offer: ({ session: { options } }) => agentOf(options) },
]

/**
 * Reads what comes before the pack into `request`: commands, up to a flush, and push options, up to another (gitprotocol-pack,
 * "Reference Update Request"). What was read before a failure stands in `request`.
 *
 * @throws GitError `PROTOCOL`, `LIMIT_EXCEEDED`
 */
export async function readPushRequest(
  request: PushRequest,
  session: ReceiveSession,
  reader: PktReader,
): Promise<void> {
  await readCommands(request, session, reader)
  if (request.commands.length > 0 && request.hasPushOptions) await readPushOptions(request, session, reader)
}

async function readPushOptions(
  request: PushRequest,
  { limits }: ReceiveSession,
  reader: PktReader,
): Promise<void> {
  for (;;) {
    const packet = await reader.read()
    if (packet.kind === 'eof') throw protocolError('the remote end hung up unexpectedly')
    if (packet.kind !== 'data') return
    request.pushOptions.push(decodeLine(packet.payload))
    assertWithin(limits, 'maxPushOptions', request.pushOptions.length)
  }
}

async function readCommands(request: PushRequest, session: ReceiveSession, reader: PktReader): Promise<void> {
  const { limits } = session
  const { format } = session.repository
  for (;;) {
    const packet = await reader.read()
    if (packet.kind === 'eof') throw protocolError('the remote end hung up unexpectedly')
    if (packet.kind !== 'data') return
    const nul = packet.payload.indexOf(0)
    const bytes = nul < 0 ? packet.payload : packet.payload.subarray(0, nul)
    const line = decodeLine(bytes)
    if (line.startsWith('shallow ')) {
      const id = parseWireId(line.slice('shallow '.length), format)
      if (id === undefined)
        throw protocolError(`protocol error: expected shallow sha, got '${line.slice(8)}'`)
      request.clientShallow.add(id)
      assertWithin(limits, 'maxShallows', request.clientShallow.size)
      continue
    }
    if (nul >= 0) takeCapabilities(request, session, decodeLine(packet.payload.subarray(nul + 1)))
    if (line === 'push-cert')
      throw protocolError('push certificates are not supported here; push without --signed')
    request.commands.push(parseCommand(line, bytes, format))
    assertWithin(limits, 'maxCommands', request.commands.length)
    assertWithin(limits, 'maxRefNameLength', bytes.length - 2 * format.hexLength - 2)
  }
}

function takeCapabilities(request: PushRequest, session: ReceiveSession, text: string): void {
  const { format } = session.repository
  const words = parseCapabilityList(text)
  for (const { name, offer, accept } of chooseRows(
    RECEIVE_CAPABILITIES,
    'push',
    session.options.capabilities,
  )) {
    if (accept !== undefined && words.has(name) && offer?.({ session, symrefs: [] }) !== false)
      accept(request)
  }
  const clientFormat = words.get('object-format') ?? 'sha1'
  if (clientFormat !== format.name) throw protocolError(`unsupported object format '${clientFormat}'`)
}

function parseCommand(line: string, bytes: Uint8Array, format: ObjectFormat): PushCommand {
  const { hexLength } = format
  const oldId = parseWireId(line.slice(0, hexLength), format)
  const newId = parseWireId(line.slice(hexLength + 1, 2 * hexLength + 1), format)
  const name = line.slice(2 * hexLength + 2)
  if (
    oldId === undefined ||
    newId === undefined ||
    line[hexLength] !== ' ' ||
    line[2 * hexLength + 1] !== ' '
  ) {
    throw protocolError(`protocol error: expected old/new/ref, got '${line}'`)
  }
  const nameBytes = bytes.subarray(2 * hexLength + 2)
  const hasTextName = equalBytes(encodeUtf8(decodeUtf8(nameBytes)), nameBytes)
  return { name, oldId, newId, hasTextName }
}
