import { createHash, type Hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { git, TEST_TIME } from '../test/support/git.ts'
import { createRandom } from '../test/support/random.ts'

/** How much of it: a folder holds a thousand files. */
export interface LargeRepositoryOptions {
  readonly folders: number
  /** Bytes of a file. */
  readonly fileSize: number
}

export interface LargeRepository {
  readonly path: string
  readonly pack: string
  readonly packBytes: number
  readonly objects: number
  readonly commit: string
}

const FILES = 1000
const COMMIT = 1
const TREE = 2
const BLOB = 3
const OFS_DELTA = 6

/**
 * Writes a bare repository of one commit with very many files, as a pack of whichever size without ever holding it: files of random
 * bytes, every third of them stored as a delta against the one before.
 */
export async function writeLargeRepository(
  path: string,
  { folders, fileSize }: LargeRepositoryOptions,
): Promise<LargeRepository> {
  await git(['init', '--quiet', '--bare', path])
  await git(['config', 'http.receivepack', 'true'], { cwd: path })
  const packs = join(path, 'objects/pack')
  await mkdir(packs, { recursive: true })
  const temporary = join(packs, 'tmp_pack_large')
  const objects = folders * (FILES + 1) + 2
  const writer = new PackFileWriter(temporary, objects)
  const noise = createRandom(3).bytes(fileSize + FILES)
  const root: Buffer[] = []
  for (let folder = 0; folder < folders; folder++) {
    const entries: Buffer[] = []
    let former: Buffer = Buffer.alloc(0)
    for (let file = 0; file < FILES; file++) {
      const stamp = Buffer.from(`${folder} ${file}`.padEnd(24))
      const isDelta = file % 3 === 2
      const body: Buffer = isDelta
        ? Buffer.concat([former, stamp])
        : Buffer.concat([stamp, noise.subarray(file, file + fileSize)])
      const id = isDelta ? await writer.addDelta(former, stamp) : await writer.add(BLOB, body)
      entries.push(Buffer.from(`100644 ${String(file).padStart(3, '0')}\0`), id)
      former = body
    }
    const tree = await writer.add(TREE, Buffer.concat(entries))
    root.push(Buffer.from(`40000 ${String(folder).padStart(4, '0')}\0`), tree)
  }
  const tree = await writer.add(TREE, Buffer.concat(root))
  const person = `C O Mitter <committer@example.com> ${TEST_TIME} +0000`
  const text = `tree ${tree.toString('hex')}\nauthor ${person}\ncommitter ${person}\n\nLarge\n`
  const commit = (await writer.add(COMMIT, Buffer.from(text))).toString('hex')
  const { checksum, packBytes } = await writer.finish()

  const pack = join(packs, `pack-${checksum}.pack`)
  await rename(temporary, pack)
  await git(['index-pack', pack], { cwd: path, timeout: 3_600_000 })
  await git(['update-ref', 'refs/heads/main', commit], { cwd: path })
  return { path, pack, packBytes, objects, commit }
}

/** Writes the entries of a pack file one after the other. */
class PackFileWriter {
  readonly #path: string
  readonly #stream: ReturnType<typeof createWriteStream>
  readonly #hash: Hash = createHash('sha1')
  #offset = 0
  #formerOffset = 0

  constructor(path: string, objects: number) {
    this.#path = path
    this.#stream = createWriteStream(path, { highWaterMark: 1 << 20 })
    const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
    head.writeUInt32BE(objects, 8)
    void this.#write(head)
  }

  /** Adds a whole object; returns its raw id. */
  async add(type: number, body: Buffer): Promise<Buffer> {
    await this.#entry(entryHeader(type, body.length), body)
    return objectId(['', 'commit', 'tree', 'blob'][type] ?? '', body)
  }

  /** Adds a blob that is the one added before and some bytes more, as a delta. */
  async addDelta(base: Buffer, added: Buffer): Promise<Buffer> {
    const copy = Buffer.from([0xb0, base.length & 0xff, base.length >> 8])
    const insert = Buffer.concat([Buffer.from([added.length]), added])
    const sizes = [sizeVarint(base.length), sizeVarint(base.length + added.length)]
    const delta = Buffer.concat([...sizes, copy, insert])
    const distance = ofsVarint(this.#offset - this.#formerOffset)
    await this.#entry(Buffer.concat([entryHeader(OFS_DELTA, delta.length), distance]), delta)
    return objectId('blob', Buffer.concat([base, added]))
  }

  async finish(): Promise<{ checksum: string; packBytes: number }> {
    const trailer = this.#hash.digest()
    this.#stream.end(trailer)
    await once(this.#stream, 'close')
    const file = await open(this.#path)
    await file.sync()
    await file.close()
    return { checksum: trailer.toString('hex'), packBytes: this.#offset + trailer.length }
  }

  async #entry(header: Buffer, body: Buffer): Promise<void> {
    this.#formerOffset = this.#offset
    await this.#write(Buffer.concat([header, deflateSync(body, { level: 0 })]))
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes)
    this.#offset += bytes.length
    if (!this.#stream.write(bytes)) await once(this.#stream, 'drain')
  }
}

function objectId(type: string, body: Buffer): Buffer {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest()
}

/** Type and size in front of an entry (gitformat-pack). */
function entryHeader(type: number, size: number): Buffer {
  const first = (type << 4) | (size & 15)
  const rest = Math.floor(size / 16)
  return rest === 0 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), sizeVarint(rest)])
}

function sizeVarint(size: number): Buffer {
  const bytes: number[] = []
  for (; size >= 128; size = Math.floor(size / 128)) bytes.push((size & 127) | 128)
  return Buffer.from([...bytes, size])
}

/** The distance back to a delta's base: most significant bits first, with one added at every further byte. */
function ofsVarint(distance: number): Buffer {
  const bytes = [distance & 127]
  for (let rest = distance >> 7; rest > 0; rest >>= 7) bytes.unshift((--rest & 127) | 128)
  return Buffer.from(bytes)
}
