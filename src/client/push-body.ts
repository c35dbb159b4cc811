import { concatBytes } from '../bytes/concat.ts'
import { encodeUtf8 } from '../bytes/text.ts'
import type { BodyStream } from './body-stream.ts'
import type { Connection } from './connection.ts'
import { owned, streamOf } from './request-body.ts'

/** Up to this size a push is sent in one piece, which can be sent again when the remote wants to know who pushes; git's number. */
const BUFFERED_BYTES = 1 << 20

/**
 * Posts a push: commands, then the pack. What is small is sent as a whole; what is large is streamed, after a probe without commands
 * has settled who pushes.
 */
export async function postPush(
  connection: Connection,
  head: Uint8Array,
  pack: AsyncIterable<Uint8Array> | undefined,
): Promise<BodyStream> {
  const pieces = withHead(head, pack)
  const gathered: Uint8Array[] = []
  let size = 0
  while (size <= BUFFERED_BYTES) {
    const step = await pieces.next()
    if (step.done === true) return connection.post('git-receive-pack', owned(concatBytes(gathered)))
    gathered.push(step.value)
    size += step.value.length
  }
  const probe = await connection.post('git-receive-pack', owned(encodeUtf8('0000')))
  await probe.return()

  const failure: { error?: unknown } = {}
  const stream = streamOf(resumed(gathered, pieces), (error) => {
    failure.error = error
  })
  try {
    return await connection.post('git-receive-pack', stream)
  } catch (error) {
    // What made the body break off says more than that it broke off.
    throw failure.error ?? error
  } finally {
    if (failure.error !== undefined) await pieces.return()
  }
}

async function* withHead(
  head: Uint8Array,
  pack: AsyncIterable<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head
  if (pack !== undefined) yield* pack
}

async function* resumed(
  gathered: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* gathered
  yield* rest
}
