import { agentOf } from '../agent.ts'
import { chooseRows, listOffers, type CapabilityOffer } from '../capability-list.ts'
import { encodePkt, FLUSH_PKT } from '../pkt-line.ts'
import type { PktReader } from '../pkt-reader.ts'
import { protocolError } from '../protocol-error.ts'
import { bundleUri } from './bundle-uri.ts'
import { fetchV2, listFetchFeatures } from './fetch-v2.ts'
import { listLsRefsFeatures, lsRefs } from './ls-refs.ts'
import { objectInfo } from './object-info.ts'
import type { UploadPackOptions } from './upload-options.ts'
import type { UploadSession } from './upload-session.ts'

/** What the offers of version 2 depend on. */
export interface V2Offering {
  readonly options: UploadPackOptions
  readonly objectFormat: string
}

/** What a request says before its arguments. */
interface RequestHead {
  command: V2Capability | undefined
  objectFormat: string
  agent: string | undefined
  sessionId: string | undefined
  readonly serverOptions: string[]
}

interface V2Capability extends CapabilityOffer<V2Offering> {
  /** Present for commands: answers a request, given its argument lines. */
  readonly command?: (
    session: UploadSession,
    lines: readonly string[],
  ) => AsyncGenerator<Uint8Array, void, undefined>
  /** Present for what is no command: takes what the client says. */
  readonly take?: (head: RequestHead, value: string) => void
}

/** All of version 2: what stands here is advertised and works, what does not is refused. */
export const V2_CAPABILITIES: readonly V2Capability[] = [
  {
    name: 'agent',
    offer: ({ options }) => agentOf(options),
    take: (head, value) => void (head.agent = value),
  },
  { name: 'ls-refs', offer: ({ options }) => listLsRefsFeatures(options) || true, command: lsRefs },
  { name: 'fetch', offer: ({ options }) => listFetchFeatures(options), command: fetchV2 },
  { name: 'server-option', take: (head, value) => void head.serverOptions.push(value) },
  {
    name: 'object-format',
    offer: ({ objectFormat }) => objectFormat,
    take: (head, value) => void (head.objectFormat = value),
  },
  {
    name: 'session-id',
    offer: ({ options: { sessionId } }) => sessionId?.() ?? false,
    take: (head, value) => void (head.sessionId = value),
  },
  {
    name: 'object-info',
    offer: ({ options }) => options.advertiseObjectInfo !== false,
    command: objectInfo,
  },
  { name: 'bundle-uri', offer: ({ options }) => options.bundles !== undefined, command: bundleUri },
]

/** The capability advertisement of version 2. */
export function* advertiseV2(offering: V2Offering): Generator<Uint8Array, void, undefined> {
  yield encodePkt('version 2\n')
  const rows = chooseRows(V2_CAPABILITIES, 'v2', offering.options.capabilities)
  for (const word of listOffers(rows, offering)) yield encodePkt(`${word}\n`)
  yield FLUSH_PKT
}

/** Answers one request of version 2: capabilities and a command, a delimiter, the command's arguments. */
export async function* serveV2(
  session: UploadSession,
  reader: PktReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const head: RequestHead = {
    command: undefined,
    objectFormat: 'sha1',
    agent: undefined,
    sessionId: undefined,
    serverOptions: [],
  }
  const end = await readHead(session, reader, head)
  if (end === 'nothing') return
  const { command } = head
  if (command?.command === undefined) throw protocolError('no command requested')
  assertSameFormat(session, head.objectFormat)
  const lines = end === 'delim' ? await readArguments(reader, command.name) : []
  // Known before anything that may have to be refused, as bands are what the client reads then.
  const { allowSidebandAll } = session.options
  session.sent.inBands =
    allowSidebandAll === true && command.name === 'fetch' && lines.includes('sideband-all')
  const { agent, sessionId, serverOptions } = head
  await session.options.onClient?.({ version: 2, command: command.name, agent, sessionId, serverOptions })
  yield* command.command(session, lines)
}

/** Reads what comes before the arguments; returns what ended it. A lone flush, with which clients probe, is nothing. */
async function readHead(
  session: UploadSession,
  reader: PktReader,
  head: RequestHead,
): Promise<'delim' | 'flush' | 'nothing'> {
  const offering = { options: session.options, objectFormat: session.view.format.name }
  const rows = chooseRows(V2_CAPABILITIES, 'v2', session.options.capabilities)
  const offered = rows.filter(({ offer }) => (offer?.(offering) ?? true) !== false)
  for (let wordCount = 0; ; wordCount++) {
    const line = await reader.readLine()
    if (line.kind === 'flush' && wordCount === 0) return 'nothing'
    if (line.kind === 'flush' || line.kind === 'delim') return line.kind
    if (line.kind !== 'line') {
      throw protocolError(
        wordCount === 0 ? 'the request is empty; expected a command' : 'the remote end hung up unexpectedly',
      )
    }
    const [name, value] = splitWord(line.text)
    if (name === 'command') {
      head.command = chooseCommand(offered, value ?? '', head.command)
      continue
    }
    const row = offered.find((candidate) => candidate.name === name)
    if (row?.take === undefined) throw protocolError(`unknown capability '${line.text}'`)
    row.take(head, value ?? '')
  }
}

function chooseCommand(
  offered: readonly V2Capability[],
  name: string,
  chosen: V2Capability | undefined,
): V2Capability {
  if (chosen !== undefined) {
    throw protocolError(`command '${name}' requested after already requesting command '${chosen.name}'`)
  }
  const command = offered.find((candidate) => candidate.name === name)
  if (command?.command === undefined) throw protocolError(`invalid command '${name}'`)
  return command
}

async function readArguments(reader: PktReader, command: string): Promise<readonly string[]> {
  const { lines, end } = await reader.readLines()
  if (end !== 'flush') throw protocolError(`expected flush after ${command} arguments`)
  return lines
}

function assertSameFormat(session: UploadSession, clientFormat: string): void {
  if (clientFormat !== 'sha1' && clientFormat !== 'sha256')
    throw protocolError(`unknown object format '${clientFormat}'`)
  const { name } = session.view.format
  if (clientFormat !== name)
    throw protocolError(`mismatched object format: server ${name}; client ${clientFormat}`)
}

function splitWord(word: string): readonly [name: string, value: string | undefined] {
  const equals = word.indexOf('=')
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]
}
