import { decodeUtf8 } from '../bytes/text.ts'
import { concatBytes } from '../bytes/concat.ts'
import { GitError, type GitErrorCode } from '../errors.ts'
import { BodyStream } from './body-stream.ts'
import { remoteLines } from './remote-messages.ts'

/** How much of a refusal's text is read, in bytes. */
const TEXT_BYTES = 4096

/** The error for an answer that is no success, with the text that the remote gave. */
export async function failureOf(
  response: Response,
  url: string,
  signal: AbortSignal | undefined,
): Promise<GitError> {
  const { status } = response
  const lines = remoteLines(await readText(response, signal))
  const message = `${url}: ${describe(status)}${lines === '' ? '' : `\n${lines}`}`
  return new GitError(codeOf(status), message, { details: { status, url } })
}

function codeOf(status: number): GitErrorCode {
  if (status === 401 || status === 403 || status === 407) return 'FORBIDDEN'
  if (status === 404 || status === 410) return 'NOT_FOUND'
  if (status === 413) return 'LIMIT_EXCEEDED'
  if (status === 408 || status === 429 || status >= 500) return 'UNAVAILABLE'
  return 'PROTOCOL'
}

function describe(status: number): string {
  if (status === 401) return 'authentication failed (401)'
  if (status === 403) return 'the remote refuses access (403)'
  if (status === 404 || status === 410) return `there is no such repository (${status})`
  if (status === 0 || (status >= 300 && status < 400)) {
    return `the remote redirects (${status}); use the address it redirects to, or allow redirects`
  }
  return `the remote answered with status ${status}`
}

/** The text of a refusal where it is for people to read. What a broken connection swallows of it is not missed. */
async function readText(response: Response, signal: AbortSignal | undefined): Promise<string> {
  const body = new BodyStream(response.body, signal)
  const pieces: Uint8Array[] = []
  try {
    if (!/^text\/plain\b/i.test(response.headers.get('Content-Type') ?? '')) return ''
    for (let size = 0; size < TEXT_BYTES;) {
      const step = await body.next()
      if (step.done === true) break
      pieces.push(step.value)
      size += step.value.length
    }
  } catch (error) {
    if (signal?.aborted === true) throw error
  } finally {
    await body.return()
  }
  return decodeUtf8(concatBytes(pieces).subarray(0, TEXT_BYTES))
}
