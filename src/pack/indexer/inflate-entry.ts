import type { ByteSink, Inflate } from '../../codec/ports.ts'
import { earlyEof, inEntry } from './entry-error.ts'

const LARGE_OBJECT = 1 << 20
const PACK_PART = 8

/** A pack in memory whose entries are inflated. */
export interface InflatedPack {
  readonly pack: Uint8Array
  /** Where the entries end and the trailer begins. */
  readonly entriesEnd: number
  readonly inflate: Inflate
  /** From this size on what is inflated comes in pieces. */
  readonly largeFrom: number
}

/**
 * Makes a pack ready to be inflated. What is large comes in pieces, which may be slower: a provider that makes it at once may have it
 * twice for a moment. Beside a large pack that is of no account.
 */
export function createInflatedPack(pack: Uint8Array, entriesEnd: number, inflate: Inflate): InflatedPack {
  const largeFrom = Math.max(LARGE_OBJECT, Math.floor(pack.length / PACK_PART))
  return { pack, entriesEnd, inflate, largeFrom }
}

/**
 * Inflates the stream at `dataAt`, of the entry at `offset`, into `out[at, at + size)`. Returns how long the stream is.
 *
 * @throws GitError `CORRUPT_PACK`
 */
export function inflateEntry(
  inflated: InflatedPack,
  offset: number,
  dataAt: number,
  out: Uint8Array,
  at: number,
  size: number,
): number {
  const { pack, entriesEnd, inflate, largeFrom } = inflated
  if (size >= largeFrom) {
    return inflateInPieces(inflated, offset, dataAt, size, (piece) => {
      out.set(piece, at)
      at += piece.length
    })
  }
  let consumed: number
  try {
    consumed = inflate.inflateInto(pack, dataAt, entriesEnd, out, at, size)
  } catch (error) {
    throw inEntry(error, offset)
  }
  if (consumed < 0) throw earlyEof()
  return consumed
}

/** Like {@link inflateEntry}, but gives what comes out to `sink` in pieces. */
export function inflateInPieces(
  { pack, entriesEnd, inflate }: InflatedPack,
  offset: number,
  dataAt: number,
  size: number,
  sink: ByteSink,
): number {
  let consumed: number
  const stream = inflate.stream(sink, size)
  try {
    consumed = stream.push(pack, dataAt, entriesEnd)
  } catch (error) {
    throw inEntry(error, offset)
  }
  if (!stream.done) throw earlyEof()
  return consumed
}
