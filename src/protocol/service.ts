import { GitError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import type { ProtocolOptions, ReceivePackOptions, UploadPackOptions } from './service-options.ts'

export { parseGitProtocolHeader, type ProtocolVersion } from './protocol-version.ts'

/** The two services of the Git protocol: fetching and pushing. */
export type ServiceName = 'git-upload-pack' | 'git-receive-pack'

/** What one fetch request is served with. */
export interface UploadPackContext {
  readonly version: ProtocolVersion
  readonly options: UploadPackOptions
  readonly signal?: AbortSignal
}

/** What one push request is served with. Pushing knows no version 2; versions 0 and 1 differ in the advertisement only. */
export interface ReceivePackContext {
  readonly options: ReceivePackOptions
  readonly signal?: AbortSignal
}

/**
 * The first thing a client asks for: the refs with the capabilities (v0, v1) or the capabilities alone (v2), without
 * the `# service=` banner that HTTP puts in front of v0 and v1. A push is advertised in v0 when v2 was asked for.
 */
export function advertise(
  repository: Repository,
  service: ServiceName,
  version: ProtocolVersion,
  options: ProtocolOptions,
): AsyncIterable<Uint8Array> {
  throw new GitError(
    'UNSUPPORTED',
    `${service} v${version} of ${repository.storage.location} ${options.uploadPack.agent ?? ''}`,
  )
}

/**
 * Answers one stateless fetch request.
 *
 * What the client did wrong is answered in the protocol (`ERR` packet, band 3). GitError `PROTOCOL`, `LIMIT_EXCEEDED` is
 * thrown only before the first byte of output, where the request is no request at all.
 */
export function uploadPack(
  repository: Repository,
  request: AsyncIterable<Uint8Array>,
  context: UploadPackContext,
): AsyncIterable<Uint8Array> {
  throw new GitError(
    'UNSUPPORTED',
    `upload-pack v${context.version} of ${repository.storage.location}${typeof request}`,
  )
}

/**
 * Answers one push request: commands, then a pack, which is never held whole. Refusals are answered in the report; errors
 * are thrown as by {@link uploadPack}.
 */
export function receivePack(
  repository: Repository,
  request: AsyncIterable<Uint8Array>,
  context: ReceivePackContext,
): AsyncIterable<Uint8Array> {
  throw new GitError(
    'UNSUPPORTED',
    `receive-pack of ${repository.storage.location}${typeof request}${typeof context}`,
  )
}
