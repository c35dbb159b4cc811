import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { deflateSync } from 'node:zlib'
import { encodeDelta, type Instruction } from '../delta/naive-delta.ts'
import { rawDistance, rawEntryHeader } from '../pack/raw-entries.ts'
import { createRandom, type Random } from './random.ts'

const COMMIT = 1
const TREE = 2
const BLOB = 3
const OFS_DELTA = 6

const DIRECTORIES = 256
const FILES = 128
const CHANGED_DIRECTORIES = 8
const CHANGED_FILES = 20
/** Of the files that change, one in so many is stored as a delta on what it was. */
const DELTA_EACH = 5
const MAX_DEPTH = 50

export interface LargePack {
  readonly path: string
  /** The last commit. */
  readonly tip: string
  readonly objectCount: number
  readonly bytes: number
  /** The checksum that the pack ends with, in hexadecimal. */
  readonly checksum: string
}

export interface LargePackOptions {
  /** How many commits: the first has 33 000 objects, each later one 170. */
  readonly commits: number
  /** Size of a file, of bytes that do not compress. */
  readonly fileBytes: number
}

/** A file as it was last stored whole: where, how large, and which part of the noise it holds. */
interface StoredFile {
  offset: number
  size: number
  noiseAt: number
}

/** A tree that changes in place, and where its present version was stored. */
interface GrowingTree {
  readonly body: Buffer
  /** Where the id of the first entry is, and how far it is from one to the next. */
  readonly idAt: number
  readonly stride: number
  offset: number
  depth: number
}

/**
 * Writes a pack of a long history of many files, cheaply: most blobs are stored without compression, some as deltas, trees as chains
 * of deltas.
 */
export async function writeLargePack(path: string, options: LargePackOptions): Promise<LargePack> {
  const { commits, fileBytes } = options
  const first = DIRECTORIES * FILES + DIRECTORIES + 2
  const each = CHANGED_DIRECTORIES * CHANGED_FILES + CHANGED_DIRECTORIES + 2
  const objectCount = first + (commits - 1) * each
  const writer = await PackFileWriter.create(path, objectCount)
  const random = createRandom(7)
  const noise = Buffer.from(random.bytes(4 << 20))
  const files = Array.from({ length: DIRECTORIES * FILES }, (): StoredFile => ({
    offset: 0,
    size: 0,
    noiseAt: 0,
  }))
  const directories = Array.from({ length: DIRECTORIES }, () => createTree(FILES, '100644 file'))
  const root = createTree(DIRECTORIES, '40000 dir')
  let tip = ''
  let serial = 0

  const storeFile = (file: StoredFile, isNew: boolean): Buffer => {
    const isDelta = !isNew && serial % DELTA_EACH === 0
    if (!isDelta) file.noiseAt = random.below(noise.length - fileBytes)
    // A line of its own makes every version another object.
    const line = Buffer.from(`version ${serial++}\n`)
    const body = Buffer.concat([noise.subarray(file.noiseAt, file.noiseAt + fileBytes), line])
    if (isDelta) {
      // Only the length of the base matters here.
      const delta = encodeDelta(noise.subarray(0, file.size), [
        { kind: 'copy', offset: 0, size: fileBytes },
        { kind: 'insert', bytes: line },
      ])
      writer.addDelta(file.offset, delta)
    } else {
      file.size = body.length
      file.offset = writer.addStored(BLOB, body)
    }
    return objectId('blob', body)
  }

  for (let commit = 0; commit < commits; commit++) {
    const isFirst = commit === 0
    const changed = isFirst ? range(DIRECTORIES) : choose(random, DIRECTORIES, CHANGED_DIRECTORIES)
    for (const directory of changed) {
      const tree = directories[directory]!
      const entries = isFirst ? range(FILES) : choose(random, FILES, CHANGED_FILES)
      for (const entry of entries) {
        storeFile(files[directory * FILES + entry]!, isFirst).copy(tree.body, tree.idAt + tree.stride * entry)
      }
      storeTree(writer, tree, isFirst ? undefined : entries)
      objectId('tree', tree.body).copy(root.body, root.idAt + root.stride * directory)
      await writer.flush()
    }
    storeTree(writer, root, isFirst ? undefined : changed)
    const stamp = `A U Thor <author@example.com> ${1_600_000_000 + 60 * commit} +0000`
    const text = Buffer.from(
      `tree ${objectId('tree', root.body).toString('hex')}\n${tip === '' ? '' : `parent ${tip}\n`}` +
        `author ${stamp}\ncommitter ${stamp}\n\ncommit ${commit}\n`,
    )
    writer.addDeflated(COMMIT, text)
    tip = objectId('commit', text).toString('hex')
  }
  return { path, tip, objectCount, ...(await writer.end()) }
}

function createTree(count: number, prefix: string): GrowingTree {
  const names = range(count).map((entry) => `${prefix}${String(entry).padStart(4, '0')}\0`)
  const stride = prefix.length + 5 + 20
  const body = Buffer.concat(names.map((name) => Buffer.concat([Buffer.from(name), Buffer.alloc(20)])))
  return { body, idAt: stride - 20, stride, offset: 0, depth: 0 }
}

/** Stores the present version of a tree; `changed` entries differ from the last one. */
function storeTree(writer: PackFileWriter, tree: GrowingTree, changed: readonly number[] | undefined): void {
  if (changed === undefined || tree.depth >= MAX_DEPTH) {
    tree.offset = writer.addDeflated(TREE, tree.body)
    tree.depth = 0
    return
  }
  const instructions: Instruction[] = []
  let at = 0
  for (const entry of changed) {
    const idAt = tree.idAt + tree.stride * entry
    instructions.push({ kind: 'copy', offset: at, size: idAt - at })
    instructions.push({ kind: 'insert', bytes: tree.body.subarray(idAt, idAt + 20) })
    at = idAt + 20
  }
  if (at < tree.body.length) instructions.push({ kind: 'copy', offset: at, size: tree.body.length - at })
  tree.offset = writer.addDelta(tree.offset, encodeDelta(tree.body, instructions))
  tree.depth++
}

function objectId(type: string, body: Uint8Array): Buffer {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest()
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** Some numbers below a limit, each once, in order. */
function choose(random: Random, limit: number, count: number): number[] {
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(random.below(limit))
  return [...chosen].sort((left, right) => left - right)
}

/** Writes a pack file entry by entry. */
class PackFileWriter {
  readonly #file: FileHandle
  readonly #hash = createHash('sha1')
  #pieces: Uint8Array[] = []
  #at = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(path: string, objectCount: number): Promise<PackFileWriter> {
    const writer = new PackFileWriter(await open(path, 'w'))
    const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
    header.writeUInt32BE(objectCount, 8)
    writer.#add(header)
    return writer
  }

  addDeflated(type: number, body: Uint8Array): number {
    return this.#add(rawEntryHeader(type, body.length), deflateSync(body, { level: 1 }))
  }

  /** Adds a body of less than 64 KiB in a stored block. */
  addStored(type: number, body: Uint8Array): number {
    const head = Buffer.from([0x78, 0x01, 0x01, 0, 0, 0, 0])
    head.writeUInt16LE(body.length, 3)
    head.writeUInt16LE(body.length ^ 0xffff, 5)
    const tail = Buffer.alloc(4)
    tail.writeUInt32BE(adler32(body))
    return this.#add(rawEntryHeader(type, body.length), head, body, tail)
  }

  addDelta(baseOffset: number, delta: Uint8Array): number {
    const distance = rawDistance(this.#at - baseOffset)
    return this.#add(rawEntryHeader(OFS_DELTA, delta.length), distance, deflateSync(delta, { level: 1 }))
  }

  #add(...pieces: Uint8Array[]): number {
    const offset = this.#at
    for (const piece of pieces) this.#at += piece.length
    this.#pieces.push(...pieces)
    return offset
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#hash.update(bytes)
    await this.#file.appendFile(bytes)
  }

  async end(): Promise<{ readonly bytes: number; readonly checksum: string }> {
    await this.flush()
    const checksum = this.#hash.digest()
    await this.#file.appendFile(checksum)
    await this.#file.close()
    return { bytes: this.#at + 20, checksum: checksum.toString('hex') }
  }
}

function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of bytes) {
    low += byte
    high += low
  }
  // Below 64 KiB neither sum outgrows an exact number.
  return (high % 65521) * 65536 + (low % 65521)
}
