import { concatBytes } from '../bytes/concat.ts'

/** From this size on a request is worth compressing; git's number. */
const GZIP_FROM = 1024

/** A body and the headers that describe it. */
export interface EncodedBody {
  readonly body: Uint8Array<ArrayBuffer>
  readonly headers: Readonly<Record<string, string>>
}

/** Compresses a request where that pays and the host can. */
export async function compressRequest(pieces: readonly Uint8Array[]): Promise<EncodedBody> {
  const plain = owned(concatBytes(pieces))
  if (plain.length <= GZIP_FROM || typeof CompressionStream !== 'function')
    return { body: plain, headers: {} }
  const compressed = new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip'))
  const body = new Uint8Array(await new Response(compressed).arrayBuffer())
  return { body, headers: { 'Content-Encoding': 'gzip' } }
}

/** The same bytes as a body that `fetch` takes, in memory that is not shared. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}

/** A stream of what an iterator yields, each piece asked for when the other side has room. */
export function streamOf(
  pieces: AsyncIterator<Uint8Array>,
  onFailure: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const step = await pieces.next()
            if (step.done === true) {
              controller.close()
              return
            }
            if (step.value.length === 0) continue
            controller.enqueue(step.value)
            return
          }
        } catch (error) {
          onFailure(error)
          throw error
        }
      },
      async cancel() {
        await pieces.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
