import type { ServerResponse } from 'node:http'

/** An answer that is being written. */
export interface ResponseWriting {
  /** Bytes of the body so far. */
  bytes(): number
  /** Whether the client is not taking what was written. */
  isWaiting(): boolean
  /** Resolves when the system has taken all of it, or the connection is gone; rejects with what the body failed with. */
  readonly finished: Promise<void>
}

/** How much may wait for the socket while the next piece is asked for. */
const AHEAD_BYTES = 64 * 1024

/**
 * Writes a web Response to a Node one, with back-pressure: the next piece is asked for when the socket has taken the
 * last, or nearly. Small pieces that come one after the other, and the end, leave together. A body that fails cuts the connection, so that the client cannot take a part for the whole; a client that
 * goes away cancels the body.
 */
export function writeWebResponse(response: Response, out: ServerResponse, isHead: boolean): ResponseWriting {
  let waiting = false
  let bytes = 0

  async function write(): Promise<void> {
    const { body } = response
    if (!out.destroyed) {
      out.statusCode = response.status
      if (response.statusText !== '') out.statusMessage = response.statusText
      out.setHeaders(nodeHeaders(response.headers))
    }
    if (body !== null) {
      if (isHead || out.destroyed) abandon(body)
      else await pump(body)
    }
    await ended(out)
  }

  let held: NodeJS.Immediate | undefined

  /** Holds back what is written until what is ready now has been written too. */
  function cork(): void {
    if (held !== undefined) return
    out.cork()
    held = setImmediate(uncork)
  }

  function uncork(): void {
    if (held === undefined) return
    clearImmediate(held)
    held = undefined
    out.uncork()
  }

  async function pump(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader()
    const cancelWhenGone = (): void => {
      if (!out.writableFinished) abandon(reader)
    }
    out.once('close', cancelWhenGone)
    try {
      for (;;) {
        const step = await reader.read()
        if (step.done || out.destroyed) {
          // The end lets go of what is held back.
          clearImmediate(held)
          return
        }
        bytes += step.value.length
        cork()
        if (out.write(step.value) || out.writableLength <= AHEAD_BYTES) continue
        uncork()
        waiting = true
        await drained(out)
        waiting = false
      }
    } catch (error) {
      out.destroy()
      throw error
    }
  }

  return { bytes: () => bytes, isWaiting: () => waiting, finished: write() }
}

/** Header values as Node wants them: several cookies stay several. */
function nodeHeaders(headers: Headers): Map<string, string | string[]> {
  const map = new Map<string, string | string[]>()
  for (const [name, value] of headers) if (name !== 'set-cookie') map.set(name, value)
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) map.set('set-cookie', cookies)
  return map
}

/** Tells a body that nobody will read it. What it fails with then concerns nobody either. */
function abandon(body: { cancel(): Promise<void> }): void {
  body.cancel().catch(() => undefined)
}

/** Resolves when the socket has room again, or is gone. */
function drained(out: ServerResponse): Promise<void> {
  if (out.destroyed || !out.writableNeedDrain) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done).off('close', done)
      resolve()
    }
    out.on('drain', done).on('close', done)
  })
}

/** Ends the answer; resolves when the system has all of it, or the connection is gone. */
function ended(out: ServerResponse): Promise<void> {
  if (out.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('finish', done).off('close', done)
      resolve()
    }
    out.on('finish', done).on('close', done)
    out.end()
  })
}
