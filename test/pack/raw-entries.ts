import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4, 'ofs-delta': 6, 'ref-delta': 7 } as const

/** A pack entry written by hand. */
export interface RawPackEntry {
  readonly type: keyof typeof TYPES | number
  /** What is deflated: a body or a delta. */
  readonly body: Uint8Array
  /** For ref-deltas: the id of the base. */
  readonly baseId?: string
  /** For ofs-deltas: which entry is the base, by its place in the pack. */
  readonly base?: number
  /** For ofs-deltas: the distance itself, to nowhere for example. */
  readonly distance?: number
  /** The size that the header claims, when it is not the true one. */
  readonly size?: number
  /** The zlib stream, when it is not that of the body. */
  readonly stream?: Uint8Array
}

/** A type and a size as pack entries begin with, `padding` bytes longer than necessary. */
export function rawEntryHeader(type: number, size: number, padding = 0): Buffer {
  const bytes = [(type << 4) | (size % 16)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) bytes.push(rest % 128)
  for (let count = padding; count > 0; count--) bytes.push(0)
  return Buffer.from(bytes.map((byte, at) => (at < bytes.length - 1 ? byte | 0x80 : byte)))
}

/** A distance in git's offset encoding: seven bits a byte, highest first, with one added at each step. */
export function rawDistance(distance: number): Buffer {
  const bytes = [distance % 128]
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest--
    bytes.unshift((rest % 128) | 0x80)
  }
  return Buffer.from(bytes)
}

/** Writes a pack entry by entry, also one that breaks the rules, with a right checksum. */
export function rawPack(entries: readonly RawPackEntry[], count = entries.length): Buffer {
  const header = Buffer.alloc(12)
  header.write('PACK')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(count, 8)
  const pieces: Buffer[] = [header]
  const offsets: number[] = []
  let at = header.length
  for (const entry of entries) {
    offsets.push(at)
    const { type, body, baseId, base } = entry
    const distance = entry.distance ?? (base === undefined ? undefined : at - offsets[base]!)
    const bytes = Buffer.concat([
      rawEntryHeader(typeof type === 'number' ? type : TYPES[type], entry.size ?? body.length),
      distance === undefined ? Buffer.alloc(0) : rawDistance(distance),
      Buffer.from(baseId ?? '', 'hex'),
      entry.stream ?? deflateSync(body),
    ])
    pieces.push(bytes)
    at += bytes.length
  }
  return sealed(Buffer.concat(pieces))
}

/** Appends the checksum that a pack ends with. */
export function sealed(unsealed: Uint8Array): Buffer {
  return Buffer.concat([unsealed, createHash('sha1').update(unsealed).digest()])
}

/** A pack with its checksum made right again after a change. */
export function resealed(pack: Uint8Array): Buffer {
  return sealed(pack.subarray(0, pack.length - 20))
}
