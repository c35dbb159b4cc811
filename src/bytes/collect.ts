import { GitError } from '../errors.ts'
import { concatBytes } from './concat.ts'

/**
 * Reads a stream of chunks to its end into one array.
 *
 * @throws GitError `LIMIT_EXCEEDED` as soon as more than `maxBytes` have come.
 */
export async function collectBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onChunk?: (total: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of source) {
    if (chunk.length === 0) continue
    total += chunk.length
    if (total > maxBytes) {
      throw new GitError('LIMIT_EXCEEDED', `input exceeds maximum allowed size of ${maxBytes} bytes`, {
        details: { limit: 'bytes', maximum: maxBytes },
      })
    }
    chunks.push(chunk)
    onChunk?.(total)
  }
  return concatBytes(chunks)
}
