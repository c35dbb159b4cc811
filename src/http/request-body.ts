import { GitError, isGitError } from '../errors.ts'

/** How a request's body is encoded; `undefined` for an encoding that this server does not take. */
export function parseContentEncoding(value: string | null): 'identity' | 'gzip' | undefined {
  const encoding = (value ?? '').trim().toLowerCase()
  if (encoding === '' || encoding === 'identity') return 'identity'
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip'
  return undefined
}

/**
 * The body of a request as pieces, each asked for when the last one has been dealt with. A reader that stops early
 * cancels the body.
 *
 * Plain bodies have no limit here: what reads them streams. Of a gzip body at most `maxInflatedBytes` come out.
 *
 * @throws GitError `PROTOCOL` for a gzip body that is malformed, `LIMIT_EXCEEDED` for one that inflates to too much,
 * and whatever the host made the body fail with, `ABORTED` by default.
 */
export function readRequestBody(
  body: ReadableStream<Uint8Array> | null,
  encoding: 'identity' | 'gzip',
  maxInflatedBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  return encoding === 'identity' || body === null
    ? readStream(body, interrupted)
    : readGzip(body, maxInflatedBytes)
}

async function* readGzip(
  body: ReadableStream<Uint8Array>,
  maxInflatedBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const piece of readStream(inflated(body), notGzip)) {
    size += piece.length
    if (size > maxInflatedBytes) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `the gzip body of this request inflates to more than ${maxInflatedBytes} bytes; send it uncompressed`,
        { details: { limit: maxInflatedBytes } },
      )
    }
    yield piece
  }
}

function inflated(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  // The DOM types let it take more than bytes, which a pipe of bytes does not accept.
  const gunzip = new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array, Uint8Array>
  return body.pipeThrough(gunzip)
}

async function* readStream(
  stream: ReadableStream<Uint8Array> | null,
  asGitError: (cause: unknown) => GitError,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (stream === null) return
  const reader = stream.getReader()
  let ended = false
  try {
    for (;;) {
      const step = await reader.read().catch((cause: unknown) => {
        ended = true
        throw isGitError(cause) ? cause : asGitError(cause)
      })
      if (step.done) {
        ended = true
        return
      }
      if (step.value.length > 0) yield step.value
    }
  } finally {
    if (!ended) await reader.cancel()
    reader.releaseLock()
  }
}

function interrupted(cause: unknown): GitError {
  return new GitError('ABORTED', 'the body of this request ended early', { cause })
}

function notGzip(cause: unknown): GitError {
  return new GitError('PROTOCOL', 'the body of this request says gzip but is malformed or cut short', {
    cause,
  })
}
