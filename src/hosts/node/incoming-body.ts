import type { IncomingMessage } from 'node:http'
import { GitError } from '../../errors.ts'

/** Bytes that may wait between the socket and the reader before the socket is told to stop. */
const HIGH_WATER_BYTES = 256 * 1024

/** A request's body, and the ways the host takes part in its reading. */
export interface IncomingBody {
  readonly stream: ReadableStream<Uint8Array>
  /** Whether the reader waits for bytes that the client has not sent yet. */
  isWaiting(): boolean
  /** Reads what is left and throws it away, so that the connection can be used again. */
  drain(): void
}

/**
 * Makes a web stream of a request's body, with back-pressure down to the socket: it is read while the reader asks, and
 * at most 256 KiB and one piece wait in between. Nothing is read before the reader first asks.
 *
 * @param onFirstRead called before the first byte is asked for: the moment for `100 Continue`.
 */
export function createIncomingBody(message: IncomingMessage, onFirstRead: () => void): IncomingBody {
  let state: 'new' | 'reading' | 'over' = 'new'
  let waiting = false
  let controller: ReadableStreamDefaultController<Uint8Array>

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      pull() {
        if (state === 'over') return
        if (state === 'new') begin()
        waiting = true
        message.resume()
      },
      cancel: stop,
    },
    // With a mark of 0 `pull` is called only for a reader that waits: the queue empties before the socket is
    // read again, instead of one pause and one resume for every piece.
    { highWaterMark: 0, size: (piece) => piece.length },
  )

  function begin(): void {
    if (message.destroyed) {
      onBroken()
      return
    }
    state = 'reading'
    message.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken)
    onFirstRead()
  }

  function stop(): void {
    state = 'over'
    waiting = false
    message.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken)
    message.pause()
  }

  function onData(piece: Uint8Array): void {
    waiting = false
    controller.enqueue(piece)
    if ((controller.desiredSize ?? 0) <= -HIGH_WATER_BYTES) message.pause()
  }

  function onEnd(): void {
    stop()
    controller.close()
  }

  function onBroken(cause?: Error): void {
    stop()
    const options = cause === undefined ? {} : { cause }
    controller.error(new GitError('ABORTED', 'the client went away before the end of its request', options))
  }

  // A connection that breaks while nobody reads emits an error that, without a listener, would end the process.
  message.on('error', () => undefined)

  return {
    stream,
    isWaiting: () => waiting,
    drain() {
      stop()
      message.resume()
    },
  }
}
