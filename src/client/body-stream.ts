import { GitError, isGitError } from '../errors.ts'

/**
 * Ends an operation whose signal fired.
 *
 * @throws GitError `ABORTED`
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  const reason: unknown = signal.reason
  if (isGitError(reason, 'ABORTED')) throw reason
  throw new GitError('ABORTED', 'the operation was aborted', { cause: reason })
}

/**
 * The body of an answer, piece by piece, each asked for when the last one has been dealt with. The signal ends a read that waits.
 *
 * @throws GitError from `next`: `ABORTED`; `UNAVAILABLE` when the connection breaks
 */
export class BodyStream implements AsyncIterableIterator<Uint8Array> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #signal: AbortSignal | undefined
  #ended: boolean

  constructor(body: ReadableStream<Uint8Array> | null, signal: AbortSignal | undefined) {
    this.#reader = body?.getReader()
    this.#signal = signal
    this.#ended = body === null
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.#signal?.aborted === true) {
        await this.#cancel()
        throwIfAborted(this.#signal)
      }
      if (this.#ended || this.#reader === undefined) return { done: true, value: undefined }
      const step = await this.#read(this.#reader)
      // Cancelling ends a read that waits as if the body had ended.
      if (step.done) this.#end()
      else if (step.value.length > 0) return step
    }
  }

  /** Stops reading: the rest of the answer is not wanted. Idempotent. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#cancel()
    return { done: true, value: undefined }
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await reader.read()
    } catch (cause) {
      this.#end()
      throwIfAborted(this.#signal)
      throw isGitError(cause)
        ? cause
        : new GitError('UNAVAILABLE', 'the connection broke while the remote was answering', { cause })
    }
  }

  readonly #onAbort = (): void => {
    void this.#cancel()
  }

  async #cancel(): Promise<void> {
    if (this.#ended) return
    this.#end()
    // What a body that nobody wants any more has to say about being cancelled changes nothing.
    await this.#reader?.cancel().catch(() => undefined)
  }

  #end(): void {
    this.#ended = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
