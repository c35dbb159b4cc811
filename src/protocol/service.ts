import type { Repository } from '../repository/repository.ts'
import { createHiddenRefs } from './hidden-refs.ts'
import { encodeErrorPkt } from './pkt-line.ts'
import { PktReader } from './pkt-reader.ts'
import { isAbort, isPeerFault } from './protocol-error.ts'
import { DEFAULT_PROTOCOL_LIMITS, type ProtocolLimits } from './protocol-limits.ts'
import type { ProtocolVersion } from './protocol-version.ts'
import { encodeBandError } from './side-band.ts'
import type { ReceiveSession } from './receive-pack/receive-session.ts'
import { createRefPolicies } from './receive-pack/ref-policies.ts'
import { advertisePush, servePush } from './receive-pack/serve-push.ts'
import type { ProtocolOptions, ReceivePackOptions, UploadPackOptions } from './service-options.ts'
import { advertiseV0, serveV0 } from './upload-pack/serve-v0.ts'
import { advertiseV2, serveV2 } from './upload-pack/serve-v2.ts'
import type { UploadSession } from './upload-pack/upload-session.ts'

export { parseGitProtocolHeader, type ProtocolVersion } from './protocol-version.ts'

/** The two services of the Git protocol: fetching and pushing. */
export type ServiceName = 'git-upload-pack' | 'git-receive-pack'

interface ServiceContext<Options> {
  readonly options: Options
  readonly signal?: AbortSignal
  /** Told of failures that are not the peer's doing and that the peer was only hinted at, for a log. */
  readonly onFailure?: (error: unknown) => void
}

/** What one fetch request is served with. */
export interface UploadPackContext extends ServiceContext<UploadPackOptions> {
  readonly version: ProtocolVersion
}

/** What one push request is served with. Pushing has no version 2; versions 0 and 1 differ in the advertisement only. */
export type ReceivePackContext = ServiceContext<ReceivePackOptions>

/**
 * The first thing a client asks for: the refs with the capabilities (v0, v1) or the capabilities alone (v2), without
 * the `# service=` banner that HTTP puts in front of v0 and v1. A push is advertised in v0 when v2 was asked for.
 */
export async function* advertise(
  repository: Repository,
  service: ServiceName,
  version: ProtocolVersion,
  options: ProtocolOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (service === 'git-receive-pack') {
    yield* advertisePush(receiveSession(repository, { options: options.receivePack }), version === 1 ? 1 : 0)
  } else if (version === 2) {
    yield* advertiseV2({ options: options.uploadPack, objectFormat: repository.format.name })
  } else {
    const session = await openUploadSession(repository, { version, options: options.uploadPack })
    try {
      yield* advertiseV0(session, version)
    } finally {
      await session.view.close()
    }
  }
}

/**
 * Answers one stateless fetch request.
 *
 * What the client did wrong is answered in the protocol (`ERR` packet), and a failure while a pack flows on band 3. An error
 * is thrown before the first byte of output where the request is no packet at all or the server failed, and later only where
 * nothing but a broken connection can tell the client (a pack without side-band), or as `ABORTED`.
 *
 * @throws GitError `PROTOCOL`, `ABORTED`, and whatever the repository throws
 */
export async function* uploadPack(
  repository: Repository,
  request: AsyncIterable<Uint8Array>,
  context: UploadPackContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const session = await openUploadSession(repository, context)
  const reader = readPackets(request, session.limits)
  const { sent } = session
  try {
    const answer =
      context.version === 2 ? serveV2(session, reader) : serveV0(session, reader, context.version)
    for await (const packet of answer) {
      sent.anything = true
      yield packet
    }
  } catch (error) {
    // Failures within a pack come here only where there is no side-band to tell them on.
    if (sent.rawPack || reader.packetCount === 0 || isAbort(error, context.signal)) throw error
    const encodeError = sent.inBands ? encodeBandError : encodeErrorPkt
    if (isPeerFault(error)) yield encodeError(error.message)
    else {
      if (!sent.anything) throw error
      context.onFailure?.(error)
      yield encodeError('an internal error on the remote side')
    }
  } finally {
    await reader.close()
    await session.view.close()
  }
}

/**
 * Answers one push request: commands, then a pack, which is never held whole. Refusals are answered in the report, other
 * failures on band 3 or by an `ERR` packet; errors are thrown as by {@link uploadPack}.
 */
export async function* receivePack(
  repository: Repository,
  request: AsyncIterable<Uint8Array>,
  context: ReceivePackContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const session = receiveSession(repository, context)
  const reader = readPackets(request, session.limits)
  try {
    yield* servePush(session, reader)
  } finally {
    await reader.close()
  }
}

function readPackets(request: AsyncIterable<Uint8Array>, limits: ProtocolLimits): PktReader {
  return new PktReader(request, { maxBytes: limits.maxRequestBytes, maxPackets: limits.maxPackets })
}

async function openUploadSession(repository: Repository, context: UploadPackContext): Promise<UploadSession> {
  return {
    repository,
    view: await repository.openView(),
    options: context.options,
    limits: { ...DEFAULT_PROTOCOL_LIMITS, ...context.options.limits },
    isHidden: createHiddenRefs(context.options.hiddenRefs),
    signal: context.signal,
    onFailure: context.onFailure,
    sent: { anything: false, rawPack: false, inBands: false },
  }
}

function receiveSession(repository: Repository, context: ReceivePackContext): ReceiveSession {
  return {
    repository,
    options: context.options,
    limits: { ...DEFAULT_PROTOCOL_LIMITS, ...context.options.limits },
    isHidden: createHiddenRefs(context.options.hiddenRefs),
    policies: createRefPolicies(context.options),
    signal: context.signal,
    onFailure: context.onFailure,
  }
}
