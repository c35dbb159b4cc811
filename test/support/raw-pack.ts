import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

const TYPE_NUMBERS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const

export type RawEntry =
  | { readonly type: keyof typeof TYPE_NUMBERS; readonly body: Uint8Array }
  /** A delta against the object with the given id. */
  | { readonly type: 'ref-delta'; readonly base: string; readonly delta: Uint8Array }

export interface RawPackOptions {
  /** The count that the header claims, when it is not the true one. */
  readonly claimedCount?: number
  /** Whether the trailing checksum is spoiled. */
  readonly spoilChecksum?: boolean
  readonly version?: number
}

/** Writes a pack by hand, also one that breaks the rules. */
export function encodeRawPack(entries: readonly RawEntry[], options: RawPackOptions = {}): Buffer {
  const header = Buffer.alloc(12)
  header.write('PACK')
  header.writeUInt32BE(options.version ?? 2, 4)
  header.writeUInt32BE(options.claimedCount ?? entries.length, 8)
  const body = Buffer.concat([header, ...entries.map(encodeEntry)])
  const checksum = createHash('sha1').update(body).digest()
  if (options.spoilChecksum === true) checksum[7] = (checksum[7] ?? 0) ^ 1
  return Buffer.concat([body, checksum])
}

function encodeEntry(entry: RawEntry): Buffer {
  if (entry.type === 'ref-delta') {
    const { base, delta } = entry
    return Buffer.concat([entryHeader(7, delta.length), Buffer.from(base, 'hex'), deflateSync(delta)])
  }
  return Buffer.concat([entryHeader(TYPE_NUMBERS[entry.type], entry.body.length), deflateSync(entry.body)])
}

function entryHeader(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)]
  for (let rest = size >>> 4; rest > 0; rest >>>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80
    bytes.push(rest & 0x7f)
  }
  return Buffer.from(bytes)
}

/** The id of an object. */
export function rawObjectId(type: string, body: Uint8Array): string {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest('hex')
}

/** A commit's body. */
export function rawCommit(tree: string, parents: readonly string[] = [], message = 'raw\n'): Buffer {
  const person = 'A U Thor <author@example.com> 1600000000 +0000'
  const lines = [
    `tree ${tree}`,
    ...parents.map((id) => `parent ${id}`),
    `author ${person}`,
    `committer ${person}`,
  ]
  return Buffer.from(`${lines.join('\n')}\n\n${message}`)
}

/** A tree of one file. */
export function rawTree(name: string, blob: string): Buffer {
  return Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')])
}
