import { GitError } from '../errors.ts'
import type { ObjectFormatName } from '../object/object-format.ts'
import { DELIM_PKT, encodePkt, FLUSH_PKT } from '../protocol/pkt-line.ts'
import { PktReader } from '../protocol/pkt-reader.ts'
import type { AdvertisedRef } from '../repository/repository.ts'
import type { OperationOptions } from './client-options.ts'
import type { Connection, Remote } from './connection.ts'
import { discover, type Discovery } from './discover.ts'
import { runOperation } from './operation.ts'
import { limitBytes, parseRemoteId, remoteFault, RemoteRefList, type RemoteRefs } from './remote-refs.ts'
import { compressRequest } from './request-body.ts'

export interface ListRefsOptions {
  /** Only refs whose names begin with one of these; all without it. */
  readonly prefixes?: readonly string[]
  /** Say where symbolic refs lead. Default true. */
  readonly symrefs?: boolean
  /** Say what annotated tags finally name. Default true. */
  readonly peel?: boolean
}

/** The first lines of a request in version 2: the command, and what it is spoken with. */
export function encodeCommand(connection: Connection, discovery: Discovery, command: string): Uint8Array[] {
  if (!discovery.capabilities.has(command))
    throw remoteFault(`the remote does not offer the command '${command}'`)
  const lines = [`command=${command}`]
  if (discovery.capabilities.has('agent')) lines.push(`agent=${connection.remote.agent}`)
  if (discovery.capabilities.has('object-format')) lines.push(`object-format=${discovery.objectFormat}`)
  for (const text of connection.serverOptions) lines.push(`server-option=${text}`)
  return [...lines.map((line) => encodePkt(`${line}\n`)), DELIM_PKT]
}

/** Asks a remote for its refs. */
export function listRefs(remote: Remote, options: OperationOptions & ListRefsOptions): Promise<RemoteRefs> {
  return runOperation(remote, options, async ({ connection }) =>
    listRemoteRefs(connection, await discover(connection, 'git-upload-pack'), options),
  )
}

/** Lists refs: by the command `ls-refs` in version 2, from the advertisement in versions 0 and 1. */
export async function listRemoteRefs(
  connection: Connection,
  discovery: Discovery,
  options: ListRefsOptions = {},
): Promise<RemoteRefs> {
  const { prefixes, symrefs = true, peel = true } = options
  if (prefixes?.some((prefix) => /[\n\0]/.test(prefix)) === true) {
    throw new GitError('INVALID_ARGUMENT', 'a prefix has a line break or a NUL, which no ref name has')
  }
  const isWanted = ({ name }: AdvertisedRef): boolean =>
    prefixes === undefined || prefixes.some((prefix) => name.startsWith(prefix))
  if (discovery.refs !== undefined) return { ...discovery.refs, refs: discovery.refs.refs.filter(isWanted) }
  const words = [
    ...(peel ? ['peel'] : []),
    ...(symrefs ? ['symrefs'] : []),
    ...(symrefs && (discovery.capabilities.get('ls-refs') ?? '').split(' ').includes('unborn')
      ? ['unborn']
      : []),
    ...(prefixes ?? []).map((prefix) => `ref-prefix ${prefix}`),
  ]
  const { body, headers } = await compressRequest([
    ...encodeCommand(connection, discovery, 'ls-refs'),
    ...words.map((word) => encodePkt(`${word}\n`)),
    FLUSH_PKT,
  ])
  const answer = await connection.post('git-upload-pack', body, { ...headers, 'Git-Protocol': 'version=2' })
  const { limits } = connection.remote
  const reader = new PktReader(limitBytes(answer, limits.maxAdvertisementBytes))
  try {
    const listed = await readRefLines(reader, limits.maxRefs, discovery.objectFormat)
    // Prefixes are a hint that a remote may ignore.
    return { ...listed, refs: listed.refs.filter(isWanted) }
  } finally {
    await reader.close()
    await answer.return()
  }
}

async function readRefLines(
  reader: PktReader,
  maxRefs: number,
  format: ObjectFormatName,
): Promise<RemoteRefs> {
  const refs = new RemoteRefList(maxRefs)
  let unbornHead: string | undefined
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') break
    if (line.kind !== 'line') throw remoteFault('the list of refs ends early')
    const [id = '', name = '', ...attributes] = line.text.split(' ')
    if (name === '') throw remoteFault(`expected a ref, not '${line.text.slice(0, 80)}'`)
    const attribute = (key: string): string | undefined =>
      attributes.find((word) => word.startsWith(`${key}:`))?.slice(key.length + 1)
    const symrefTarget = attribute('symref-target')
    const peeled = attribute('peeled')
    if (id === 'unborn') {
      if (name === 'HEAD') unbornHead = symrefTarget
      continue
    }
    refs.add({
      name,
      id: parseRemoteId(id, format),
      ...(symrefTarget === undefined ? {} : { symrefTarget }),
      ...(peeled === undefined ? {} : { peeled: parseRemoteId(peeled, format) }),
    })
  }
  return { refs: refs.list(), ...(unbornHead === undefined ? {} : { unbornHead }) }
}
