import { concatBytes } from '../../bytes/concat.ts'
import { decodeUtf8 } from '../../bytes/text.ts'
import { ArtifactsError } from '../artifacts-error.ts'

/**
 * Reads the JSON body of a request; an empty one counts as `{}`.
 *
 * @throws ArtifactsError `INVALID_INPUT` for what is no JSON, `MEMORY_LIMIT` for a body of more than `maxBytes`
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const text = decodeUtf8(await readBytes(request.body, maxBytes)).trim()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ArtifactsError('INVALID_INPUT', 'Invalid JSON body', { cause })
  }
}

async function readBytes(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array()
  const reader = body.getReader()
  const pieces: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concatBytes(pieces)
    size += value.length
    if (size > maxBytes) {
      await reader.cancel()
      throw new ArtifactsError('MEMORY_LIMIT', `The request body is longer than ${maxBytes} bytes.`)
    }
    pieces.push(value)
  }
}
