import { agentOf } from '../agent.ts'
import { listOffers, type CapabilityOffer } from '../capability-list.ts'
import { encodePkt, FLUSH_PKT } from '../pkt-line.ts'
import type { PktReader } from '../pkt-reader.ts'
import { protocolError } from '../protocol-error.ts'
import type { UploadPackOptions } from '../service-options.ts'
import { FETCH_FEATURES, fetchV2 } from './fetch-v2.ts'
import { LS_REFS_FEATURES, lsRefs } from './ls-refs.ts'
import type { UploadSession } from './upload-session.ts'

/** What the offers of version 2 depend on. */
export interface V2Offering {
  readonly options: UploadPackOptions
  readonly objectFormat: string
}

interface V2Capability extends CapabilityOffer<V2Offering> {
  /** Present for commands: answers a request, given its argument lines. */
  readonly command?: (
    session: UploadSession,
    lines: readonly string[],
  ) => AsyncGenerator<Uint8Array, void, undefined>
}

/** All of version 2: what stands here is advertised and works, what does not is refused. */
const V2_CAPABILITIES: readonly V2Capability[] = [
  { name: 'agent', offer: ({ options }) => agentOf(options) },
  { name: 'ls-refs', offer: () => LS_REFS_FEATURES.join(' '), command: lsRefs },
  { name: 'fetch', offer: () => FETCH_FEATURES.join(' '), command: fetchV2 },
  { name: 'object-format', offer: ({ objectFormat }) => objectFormat },
]

/** The capability advertisement of version 2. */
export function* advertiseV2(offering: V2Offering): Generator<Uint8Array, void, undefined> {
  yield encodePkt('version 2\n')
  for (const word of listOffers(V2_CAPABILITIES, offering)) yield encodePkt(`${word}\n`)
  yield FLUSH_PKT
}

/** Answers one request of version 2: capabilities and a command, a delimiter, the command's arguments. */
export async function* serveV2(
  session: UploadSession,
  reader: PktReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  if ((await reader.peek()).kind === 'eof') return
  let command: V2Capability | undefined
  let clientFormat = 'sha1'
  let wordCount = 0
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush' && wordCount === 0) return
    if (line.kind === 'flush' || line.kind === 'delim') {
      if (command?.command === undefined) throw protocolError('no command requested')
      assertSameFormat(session, clientFormat)
      const lines = line.kind === 'delim' ? await readArguments(reader, command.name) : []
      yield* command.command(session, lines)
      return
    }
    if (line.kind !== 'line') throw protocolError('the remote end hung up unexpectedly')
    wordCount++
    const [name, value] = splitWord(line.text)
    const row = V2_CAPABILITIES.find((candidate) => candidate.name === name)
    if (name === 'command') command = chooseCommand(value ?? '', command)
    else if (row === undefined || row.command !== undefined)
      throw protocolError(`unknown capability '${line.text}'`)
    else if (name === 'object-format') clientFormat = value ?? ''
  }
}

function chooseCommand(name: string, chosen: V2Capability | undefined): V2Capability {
  if (chosen !== undefined) {
    throw protocolError(`command '${name}' requested after already requesting command '${chosen.name}'`)
  }
  const command = V2_CAPABILITIES.find((candidate) => candidate.name === name)
  if (command?.command === undefined) throw protocolError(`invalid command '${name}'`)
  return command
}

async function readArguments(reader: PktReader, command: string): Promise<readonly string[]> {
  const lines: string[] = []
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') return lines
    if (line.kind !== 'line') throw protocolError(`expected flush after ${command} arguments`)
    lines.push(line.text)
  }
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
