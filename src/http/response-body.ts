/** What happens around an answer's body. */
export interface ResponseBodyEvents {
  /** The client went away, or the host lost interest: work for nobody should stop. */
  readonly onCancel: () => void
  /** The source failed after its first piece; the host cuts the connection. */
  readonly onError: (error: unknown) => void
  /** Called exactly once, when the source has ended, whichever way. */
  readonly onEnd: () => void
}

/**
 * Makes an answer's body of pieces, each asked for when the host wants one: nothing is buffered here.
 *
 * Waits for the first piece, so that what is thrown before it rejects this promise and can still become an
 * error answer. The source is over then, and `onEnd` has been called.
 */
export async function createResponseBody(
  source: AsyncIterable<Uint8Array>,
  events: ResponseBodyEvents,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]()
  let cancelled = false
  let first: IteratorResult<Uint8Array> | undefined
  try {
    first = await nextPiece(iterator)
  } catch (error) {
    events.onEnd()
    throw error
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let step: IteratorResult<Uint8Array>
        try {
          step = first ?? (await nextPiece(iterator))
        } catch (error) {
          // What a cancelled source throws is the abort itself, and `cancel` ends it.
          if (cancelled) return
          events.onError(error)
          events.onEnd()
          throw error
        }
        first = undefined
        if (cancelled) return
        if (step.done !== true) {
          controller.enqueue(step.value)
          return
        }
        events.onEnd()
        controller.close()
      },
      async cancel() {
        cancelled = true
        events.onCancel()
        try {
          await iterator.return?.()
        } finally {
          events.onEnd()
        }
      },
    },
    { highWaterMark: 0 },
  )
}

/** The next piece with bytes in it: an empty one would end a chunked body early on some hosts. */
async function nextPiece(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  for (;;) {
    const step = await iterator.next()
    if (step.done === true || step.value.length > 0) return step
  }
}
