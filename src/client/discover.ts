import { GitError } from '../errors.ts'
import { parseObjectFormatName, type ObjectFormatName } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import { parseCapabilityList } from '../protocol/capability-list.ts'
import { PktReader, type PktLine } from '../protocol/pkt-reader.ts'
import type { ProtocolVersion } from '../protocol/protocol-version.ts'
import type { ServiceName } from '../protocol/service.ts'
import type { Repository } from '../repository/repository.ts'
import type { ClientLimits } from './client-options.ts'
import type { Connection } from './connection.ts'
import { limitBytes, parseRemoteId, remoteFault, RemoteRefList, type RemoteRefs } from './remote-refs.ts'

/** What a remote says first. */
export interface Discovery {
  readonly service: ServiceName
  /** The version that the remote speaks, which may be older than the one asked for. */
  readonly version: ProtocolVersion
  readonly objectFormat: ObjectFormatName
  /** Names to values, `''` where there is none. */
  readonly capabilities: ReadonlyMap<string, string>
  /** The refs, in versions 0 and 1; version 2 lists them in an answer of its own. */
  readonly refs: RemoteRefs | undefined
  /** Versions 0 and 1: where the remote's own history ends. */
  readonly shallow: readonly ObjectId[]
  /** Pushing: objects that the remote has besides what its refs reach (`.have`). */
  readonly haves: readonly ObjectId[]
}

/**
 * Asks a remote for its advertisement.
 *
 * @throws GitError
 */
export async function discover(connection: Connection, service: ServiceName): Promise<Discovery> {
  const { protocol, limits } = connection.remote
  // Pushing has no version 2, and who would speak that speaks version 0, as git does.
  const version = service === 'git-receive-pack' && protocol === 2 ? 0 : protocol
  const headers: Record<string, string> = version > 0 ? { 'Git-Protocol': `version=${version}` } : {}
  const body = await connection.getAdvertisement(service, headers)
  const reader = new PktReader(limitBytes(body, limits.maxAdvertisementBytes))
  try {
    const discovery = await readAdvertisement(reader, service, limits)
    if (connection.serverOptions.length > 0 && !discovery.capabilities.has('server-option'))
      throw new GitError('UNSUPPORTED', 'the remote does not offer to take server options')
    return discovery
  } finally {
    await reader.close()
    await body.return()
  }
}

/** @throws GitError `UNSUPPORTED` when the remote names objects by another hash than the repository. */
export function assertSameFormat({ objectFormat }: Discovery, { format }: Repository): void {
  if (objectFormat === format.name) return
  throw new GitError(
    'UNSUPPORTED',
    `the remote names objects by ${objectFormat}, this repository by ${format.name}; they cannot be mixed`,
  )
}

async function readAdvertisement(
  reader: PktReader,
  service: ServiceName,
  limits: ClientLimits,
): Promise<Discovery> {
  let line = await reader.readLine()
  if (line.kind === 'line' && line.text.startsWith('# service=')) {
    if (line.text !== `# service=${service}`)
      throw remoteFault(`the remote answers for another service: '${line.text}'`)
    if ((await reader.readLine()).kind !== 'flush')
      throw remoteFault('expected a flush after the service line')
    line = await reader.readLine()
  }
  if (line.kind === 'line' && line.text === 'version 2') return readCapabilities(reader, service)
  if (line.kind === 'line' && line.text === 'version 1') {
    return readRefAdvertisement(reader, await reader.readLine(), { service, version: 1, limits })
  }
  return readRefAdvertisement(reader, line, { service, version: 0, limits })
}

/** The capabilities of version 2, one a line. */
async function readCapabilities(reader: PktReader, service: ServiceName): Promise<Discovery> {
  const capabilities = new Map<string, string>()
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') break
    if (line.kind !== 'line') throw remoteFault('the advertisement of capabilities ends early')
    const equals = line.text.indexOf('=')
    const name = equals < 0 ? line.text : line.text.slice(0, equals)
    if (!capabilities.has(name)) capabilities.set(name, equals < 0 ? '' : line.text.slice(equals + 1))
  }
  const objectFormat = parseObjectFormatName(capabilities.get('object-format') ?? 'sha1')
  return { service, version: 2, objectFormat, capabilities, refs: undefined, shallow: [], haves: [] }
}

/** The refs of versions 0 and 1 (gitprotocol-pack, "Reference Discovery"). */
async function readRefAdvertisement(
  reader: PktReader,
  first: PktLine,
  context: { readonly service: ServiceName; readonly version: 0 | 1; readonly limits: ClientLimits },
): Promise<Discovery> {
  const { service, version } = context
  if (first.kind === 'flush') {
    // An empty repository of git's own server has not even capabilities to tell.
    const nothing = { refs: { refs: [] }, shallow: [], haves: [], capabilities: new Map<string, string>() }
    return { service, version, objectFormat: 'sha1', ...nothing }
  }
  if (first.kind !== 'line') throw remoteFault('the remote end hung up before it advertised anything')
  const nul = first.text.indexOf('\0')
  const words = nul < 0 ? '' : first.text.slice(nul + 1)
  const capabilities = parseCapabilityList(words)
  const objectFormat = parseObjectFormatName(capabilities.get('object-format') ?? 'sha1')
  const refs = new RemoteRefList(context.limits.maxRefs)
  const shallow: ObjectId[] = []
  const haves: ObjectId[] = []

  let line: PktLine = nul < 0 ? first : { kind: 'line', text: first.text.slice(0, nul) }
  for (; line.kind === 'line'; line = await reader.readLine()) {
    if (line.text.startsWith('shallow ')) {
      shallow.push(parseRemoteId(line.text.slice('shallow '.length), objectFormat))
      continue
    }
    const blank = line.text.indexOf(' ')
    if (blank < 0)
      throw remoteFault(`expected a line of the ref advertisement, not '${line.text.slice(0, 80)}'`)
    const id = parseRemoteId(line.text.slice(0, blank), objectFormat)
    const name = line.text.slice(blank + 1)
    if (name === '.have') haves.push(id)
    else if (name.endsWith('^{}')) refs.peel(name.slice(0, -3), id)
    else refs.add({ name, id })
  }
  if (line.kind !== 'flush') throw remoteFault('the ref advertisement ends early')
  for (const [, name = '', target = ''] of ` ${words} `.matchAll(/ symref=([^: ]+):([^ ]+)(?= )/g)) {
    refs.link(name, target)
  }
  return { service, version, objectFormat, capabilities, refs: { refs: refs.list() }, shallow, haves }
}
