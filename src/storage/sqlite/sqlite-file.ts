import { GitError } from '../../errors.ts'
import { assertWithin, type ByteRange, type StoredFile } from '../stored-file.ts'
import { bytesIn, numberIn } from './row-values.ts'
import { chunkId } from './schema.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

/** Where the bytes of a file are. */
export interface FilePlace {
  readonly id: number
  /** Size in bytes. */
  readonly size: number
  readonly chunkBytes: number
}

/** What a range wants of one chunk. */
interface Part {
  /** Index of the range. */
  readonly range: number
  /** Where in the chunk, and where in the range, the bytes begin. */
  readonly from: number
  readonly to: number
  readonly length: number
}

/** Finds a file; `undefined` when it is gone. */
export function findFile(sql: Statements, id: number): FilePlace | undefined {
  const row = sql.findFile.get(id)
  return row && { id, size: numberIn(row, 'size'), chunkBytes: numberIn(row, 'chunk_bytes') }
}

/** Opens a file of a pack. It can be read until the grace period after its pack was dropped is over. */
export function openSqliteFile(store: SqliteStore, place: FilePlace, what: string): StoredFile {
  let open = true
  return {
    size: place.size,
    read(ranges) {
      if (open) return readRanges(store, place, what, ranges)
      return Promise.reject(new GitError('INVALID_ARGUMENT', `${what} was closed; open it again to read it`))
    },
    close() {
      open = false
      return Promise.resolve()
    },
  }
}

/**
 * Reads ranges of a file, each chunk that they touch once: of it from the first byte that is wanted to the last.
 *
 * @param what the file, for messages.
 */
export async function readRanges(
  store: SqliteStore,
  place: FilePlace,
  what: string,
  ranges: readonly ByteRange[],
): Promise<Uint8Array[]> {
  for (const range of ranges) assertWithin(range, place.size, what)
  const results = ranges.map(({ length }) => new Uint8Array(length))
  for (const [number, parts] of partsByChunk(ranges, place.chunkBytes)) {
    const span = spanOf(parts)
    const row = await store.run((sql) =>
      sql.readPart.get(span.from + 1, span.length, chunkId(place.id, number)),
    )
    if (row === undefined) {
      throw new GitError('NOT_FOUND', `${what} was removed; list the packs again`, {
        details: { file: place.id },
      })
    }
    assertChunkSize(numberIn(row, 'size'), number, place, what)
    const bytes = bytesIn(row, 'bytes')
    for (const { range, from, to, length } of parts) {
      const begin = from - span.from
      results[range]!.set(bytes.subarray(begin, begin + length), to)
    }
    await store.noteBytes(bytes.length)
  }
  return results
}

/** What of a chunk has all parts in it. */
function spanOf(parts: readonly Part[]): { readonly from: number; readonly length: number } {
  let from = Infinity
  let end = 0
  for (const part of parts) {
    from = Math.min(from, part.from)
    end = Math.max(end, part.from + part.length)
  }
  return { from, length: end - from }
}

function partsByChunk(ranges: readonly ByteRange[], chunkBytes: number): Map<number, Part[]> {
  const chunks = new Map<number, Part[]>()
  ranges.forEach(({ offset, length }, range) => {
    for (let to = 0; to < length;) {
      const number = Math.floor((offset + to) / chunkBytes)
      const from = offset + to - number * chunkBytes
      const part = { range, from, to, length: Math.min(chunkBytes - from, length - to) }
      const parts = chunks.get(number)
      if (parts === undefined) chunks.set(number, [part])
      else parts.push(part)
      to += part.length
    }
  })
  return chunks
}

function assertChunkSize(size: number, number: number, place: FilePlace, what: string): void {
  const expected = Math.min(place.chunkBytes, place.size - number * place.chunkBytes)
  if (size === expected) return
  throw new GitError('STORAGE', `chunk ${number} of ${what} has ${size} bytes; expected ${expected}`, {
    details: { file: place.id, chunk: number },
  })
}
