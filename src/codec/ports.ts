/**
 * The codec ports: hashing and zlib, as the engine needs them.
 *
 * All of it is synchronous and works on ranges of buffers that the caller owns, because a pack has entries of
 * some fifty bytes by the hundred thousand: what costs is the call, not the byte. A provider is chosen once
 * at the edge (`packstone/codec/node`, `packstone/codec/portable`) and passed down as {@link Codecs}.
 */

/** A running hash. One use: after `digestInto` it must not be touched again. */
export interface Hash {
  /** Adds `bytes[start, end)`. The bytes are consumed before the call returns. */
  update(bytes: Uint8Array, start?: number, end?: number): void
  /** Finishes, and writes the digest to `out[at, at + length)`. */
  digestInto(out: Uint8Array, at: number): void
}

/** A hash algorithm that names objects. */
export interface HashAlgorithm {
  readonly name: 'sha1' | 'sha256'
  /** Length of a digest in bytes: 20 or 32. */
  readonly length: number
  /** Starts a running hash. */
  create(): Hash
  /** Hashes `bytes[start, end)` in one go and writes the digest to `out[at, at + length)`. */
  digestRangeInto(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void
  /**
   * There where part of the work on a block of 64 bytes depends on nothing but these: like `digestRangeInto`, that work left out for blocks
   * that are known. `notes[notesAt + k]` is about the k-th whole block from `start` on, a number that means nothing to others: 0 where the
   * block is not known, else what a call has left there for the same bytes. No note is 0 afterwards.
   */
  readonly digestNotedInto?: (
    bytes: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
    notes: Uint8Array,
    notesAt: number,
  ) => void
}

/** Receives output of a streaming codec. The piece is only valid during the call: copy what you keep. */
export type ByteSink = (piece: Uint8Array) => void

/** Inflates one zlib stream that arrives in pieces. */
export interface InflateStream {
  /** True once the stream's end, checksum included, has been read. */
  readonly done: boolean
  /**
   * Takes `input[start, end)`; output goes to the sink before the call returns.
   *
   * @returns how many input bytes were consumed: all of them unless the stream ended before `end`.
   * @throws GitError `CORRUPT_ZLIB`
   */
  push(input: Uint8Array, start?: number, end?: number): number
}

/** Decompression of zlib streams (RFC 1950), always with the Adler-32 checksum verified. */
export interface Inflate {
  /**
   * Inflates the zlib stream that begins at `input[start]` and must produce exactly `size` bytes, into
   * `out[at, at + size)`.
   *
   * @returns the number of input bytes the stream occupies, or -1 when `input[start, end)` ends before the
   * stream does (the bytes in `out` are then meaningless).
   * @throws GitError `CORRUPT_ZLIB` when the stream is malformed or does not produce exactly `size` bytes.
   */
  inflateInto(
    input: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    at: number,
    size: number,
  ): number
  /**
   * Inflates one whole zlib stream of unknown output size into a new array. Bytes after the stream's end are an error.
   *
   * @throws GitError `CORRUPT_ZLIB` when malformed, cut short or followed by other bytes;
   * `LIMIT_EXCEEDED` when more than `maxSize` bytes come out.
   */
  inflate(input: Uint8Array, maxSize: number): Uint8Array
  /**
   * Starts a stream that arrives in pieces.
   *
   * @param size what must come out, in bytes; anything else is `CORRUPT_ZLIB`, in the words of `inflateInto`. Absent: whatever comes.
   */
  stream(sink: ByteSink, size?: number): InflateStream
}

/** Compression into zlib streams (RFC 1950). */
export interface Deflate {
  /** Deflates `input[start, end)` into a new array. */
  deflate(input: Uint8Array, start?: number, end?: number): Uint8Array
}

/** CRC-32 as zlib computes it (ISO 3309), the checksum of stored pack entries in an `.idx`. */
export interface Crc32 {
  /** Continues the checksum `crc` (0 to begin) over `bytes[start, end)`. Returns an unsigned 32-bit value. */
  update(crc: number, bytes: Uint8Array, start: number, end: number): number
}

/** A complete provider. */
export interface Codecs {
  /** The provider's name, for benchmarks and messages. */
  readonly name: string
  readonly sha1: HashAlgorithm
  readonly sha256: HashAlgorithm
  readonly inflate: Inflate
  readonly deflate: Deflate
  readonly crc32: Crc32
}
