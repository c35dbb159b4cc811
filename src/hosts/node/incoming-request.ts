import type { IncomingMessage } from 'node:http'
import { GitError } from '../../errors.ts'

/**
 * Makes a web Request of a Node one.
 *
 * @param body the body's stream, which a GET or HEAD request has no use for.
 * @throws GitError `INVALID_ARGUMENT` for an address, a method or a header that the web's types refuse.
 */
export function createWebRequest(
  message: IncomingMessage,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Request {
  const method = message.method ?? 'GET'
  const bare = method === 'GET' || method === 'HEAD'
  try {
    const url = requestUrl(message)
    const headers = requestHeaders(message)
    if (bare) return new Request(url, { method, headers, signal })
    // A stream that is still being written while the answer is read is `half` duplex in the words of fetch.
    const streaming: RequestInit & { duplex: 'half' } = { method, headers, signal, body, duplex: 'half' }
    return new Request(url, streaming)
  } catch (cause) {
    throw new GitError(
      'INVALID_ARGUMENT',
      'this request has a method, an address or a header that is not valid',
      {
        cause,
      },
    )
  }
}

function requestUrl(message: IncomingMessage): URL {
  const target = message.url ?? '/'
  const secure = 'encrypted' in message.socket
  const origin = `${secure ? 'https' : 'http'}://${message.headers.host ?? 'localhost'}`
  // A target that begins with two slashes would name a host if it were resolved as a relative address.
  if (target.startsWith('/')) return new URL(origin + target)
  return new URL(target)
}

function requestHeaders(message: IncomingMessage): Headers {
  const headers = new Headers()
  const raw = message.rawHeaders
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? '', raw[at + 1] ?? '')
  return headers
}
