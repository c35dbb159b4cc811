import type { IncomingMessage, ServerResponse } from 'node:http'
import { GitError } from '../../errors.ts'
import { createIncomingBody, type IncomingBody } from './incoming-body.ts'
import { createWebRequest } from './incoming-request.ts'
import { writeWebResponse, type ResponseWriting } from './outgoing-response.ts'

/** A web handler, such as `createGitHandler` of `packstone/http` makes. */
export type FetchHandler = (request: Request) => Response | Promise<Response>

/** One finished request, for a log. */
export interface RequestRecord {
  readonly method: string
  /** Path and query as the client sent them. */
  readonly target: string
  /** The status that was answered, or 0 when the client was gone before. */
  readonly status: number
  /** Bytes of the answer's body. */
  readonly bytes: number
  readonly milliseconds: number
  /** Whether the whole answer went out. */
  readonly complete: boolean
}

export interface NodeListenerOptions {
  /** Called when a request is over. */
  readonly onRequest?: (record: RequestRecord) => void
  /** Told of what the handler threw, and of bodies that broke off. Default: nothing. */
  readonly onError?: (error: unknown) => void
  /**
   * How long a client may neither send the body that is being read nor take the answer that is being written, in
   * milliseconds, before its connection is cut. 0: for ever. Default 120 000. Time that the server takes does not count.
   */
  readonly stallTimeout?: number
  /**
   * How long the rest of a body that nobody wants is read and thrown away after the answer, in milliseconds, so that the
   * client gets to read the answer. Default 15 000.
   */
  readonly drainTimeout?: number
}

/**
 * A listener for a server's `request` event. For its `checkContinue` event, call it with `sendContinue` set: it then
 * sends `100 Continue` when the handler first reads the body, so that a request that is refused is never uploaded.
 */
export type NodeListener = (message: IncomingMessage, out: ServerResponse, sendContinue?: boolean) => void

/**
 * Mounts a web handler on node:http. Bodies stream both ways with back-pressure; a client that goes away aborts the
 * request's signal.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createNodeListener(handler: FetchHandler, options: NodeListenerOptions = {}): NodeListener {
  const { onRequest, onError, stallTimeout = 120_000, drainTimeout = 15_000 } = options
  for (const [name, value] of Object.entries({ stallTimeout, drainTimeout })) {
    if (!(value >= 0)) throw new GitError('INVALID_ARGUMENT', `${name} must be 0 or more, but is ${value}`)
  }

  async function answer(message: IncomingMessage, out: ServerResponse, sendContinue: boolean): Promise<void> {
    const started = performance.now()
    const continuation = createContinuation(out, sendContinue)
    const body = createIncomingBody(message, continuation.send)
    const gone = new AbortController()
    let writing: ResponseWriting | undefined

    out.on('error', (error) => onError?.(error))
    out.once('close', () => {
      if (!out.writableFinished) gone.abort(new GitError('ABORTED', 'the client went away'))
    })
    if (stallTimeout > 0) {
      out.setTimeout(stallTimeout, () => {
        if (body.isWaiting() || writing?.isWaiting() === true) message.socket.destroy()
        else message.socket.setTimeout(stallTimeout)
      })
    }

    let status = 0
    try {
      const response = await respond(message, body.stream, gone.signal)
      continuation.refuse()
      writing = writeWebResponse(response, out, message.method === 'HEAD')
      status = response.status
      await writing.finished
    } catch (error) {
      out.destroy()
      if (!gone.signal.aborted) onError?.(error)
    } finally {
      if (!message.complete) drainRest(message, body, drainTimeout)
      onRequest?.({
        method: message.method ?? '',
        target: message.url ?? '',
        status,
        bytes: writing?.bytes() ?? 0,
        milliseconds: performance.now() - started,
        complete: out.writableFinished,
      })
    }
  }

  async function respond(
    message: IncomingMessage,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Response> {
    let request: Request
    try {
      request = createWebRequest(message, body, signal)
    } catch (error) {
      return plainText(400, error instanceof Error ? error.message : String(error))
    }
    try {
      return await handler(request)
    } catch (error) {
      if (!signal.aborted) onError?.(error)
      return plainText(500, 'the server failed to answer this request')
    }
  }

  return (message, out, sendContinue) => {
    // `answer` does not reject: its failures are caught in it.
    void answer(message, out, sendContinue === true)
  }
}

/** The two ways to deal with `Expect: 100-continue`, where the server has left it to us. */
function createContinuation(
  out: ServerResponse,
  expected: boolean,
): { readonly send: () => void; readonly refuse: () => void } {
  let pending = expected
  return {
    send() {
      if (pending && !out.headersSent && !out.destroyed) out.writeContinue()
      pending = false
    },
    /** The client may send its body or not: what comes next on this connection cannot be told. */
    refuse() {
      if (pending && !out.headersSent && !out.destroyed) out.setHeader('Connection', 'close')
      pending = false
    },
  }
}

/** Reads away what the client still sends, for a while, and then cuts the connection. */
function drainRest(message: IncomingMessage, body: IncomingBody, timeout: number): void {
  const { socket } = message
  if (message.destroyed || socket.destroyed) return
  const timer = setTimeout(() => {
    if (!message.complete) socket.destroy()
  }, timeout)
  timer.unref()
  const over = (): void => {
    clearTimeout(timer)
  }
  message.once('end', over).once('close', over)
  body.drain()
}

function plainText(status: number, message: string): Response {
  return new Response(message + '\n', { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
}
