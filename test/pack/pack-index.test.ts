import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { encodePackIndex } from '../../src/pack/encode-pack-index.ts'
import { PackIndex } from '../../src/pack/pack-index.ts'
import { createHistory } from '../support/histories.ts'
import { git } from '../support/git.ts'
import { caughtGitError, gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { packRevisions, plain, showIndex, type GitPack } from './git-packs.ts'
import { sealed } from './raw-entries.ts'

const scratch = useScratch()
const format = objectFormat('sha1', createPortableCodecs())
let made: GitPack
let packPath = ''

beforeAll(async () => {
  const repository = await createHistory('source-like', scratch.fresh('source'), { scale: 0.15 })
  made = await packRevisions(repository, scratch.path)
  packPath = `${scratch.path}/${made.name}.pack`
})

/** The index that git makes for the pack, in a version and with 64-bit offsets from an offset on. */
async function gitIndex(version: string): Promise<Uint8Array> {
  const path = scratch.fresh('index.idx')
  await git(['index-pack', `--index-version=${version}`, '-o', path, packPath], { cwd: scratch.path })
  return plain(await readFile(path))
}

const VERSIONS = ['1', '2', '2,0x40', '2,0x4000'] as const

describe.each(VERSIONS)('an index of git, version %s', (version) => {
  test('says what git show-index says, by rank and by id', async () => {
    const bytes = await gitIndex(version)
    const lines = await showIndex(bytes)
    const index = new PackIndex(bytes, 20)
    expect(index.version).toBe(Number(version[0]))
    expect(index.objectCount).toBe(lines.length)
    lines.forEach(({ id, offset, crc }, rank) => {
      expect(encodeHex(index.id(rank))).toBe(id)
      expect(encodeHex(index.bytes, index.idAt(rank), index.idAt(rank) + 20)).toBe(id)
      expect(index.find(parseHex(id))).toBe(rank)
      expect(index.offset(rank)).toBe(offset)
      expect(index.crc(rank)).toBe(crc)
    })
    expect(encodeHex(index.packChecksum)).toBe(encodeHex(made.pack.slice(-20)))
    const digest = new Uint8Array(20)
    format.hash.digestRangeInto(index.checksummed, 0, index.checksummed.length, digest, 0)
    expect(index.checksum).toEqual(digest)
  })

  test('knows the order of entries in the pack', async () => {
    const bytes = await gitIndex(version)
    const lines = await showIndex(bytes)
    const index = new PackIndex(bytes, 20)
    const sorted = lines.map(({ offset }, rank) => ({ offset, rank })).sort((a, b) => a.offset - b.offset)
    expect([...index.packOrder]).toEqual(sorted.map(({ rank }) => rank))
    expect([...index.sortedOffsets]).toEqual(sorted.map(({ offset }) => offset))
    sorted.forEach(({ offset, rank }, position) => {
      expect(index.positionOf(offset)).toBe(position)
      expect(index.rankAt(offset)).toBe(rank)
      expect(index.positionOf(offset + 1)).toBe(-1)
      expect(index.rankAt(offset - 1)).toBe(-1)
    })
  })

  test('does not find what is not there', async () => {
    const index = new PackIndex(await gitIndex(version), 20)
    const random = createRandom(5)
    for (let round = 0; round < 200; round++) {
      const id = random.bytes(20)
      expect(index.find(id)).toBe(-1)
      const near = index.id(random.below(index.objectCount)).slice()
      near[19]! ^= 1
      expect(index.find(near)).toBe(-1)
    }
    for (const fill of [0, 0xff]) expect(index.find(new Uint8Array(20).fill(fill))).toBe(-1)
  })
})

describe('encodePackIndex', () => {
  test('writes, byte for byte, what git index-pack writes, in whatever order the entries come', async () => {
    const expected = await gitIndex('2')
    const lines = await showIndex(expected)
    for (const seed of [0, 1, 2]) {
      const random = createRandom(seed)
      const rows =
        seed === 0
          ? lines
          : lines
              .map((line) => ({ line, key: random.below(1e9) }))
              .sort((a, b) => a.key - b.key)
              .map(({ line }) => line)
      const columns = {
        objectCount: rows.length,
        ids: Uint8Array.from(rows.flatMap(({ id }) => [...parseHex(id)])),
        crcs: Uint32Array.from(rows, ({ crc }) => crc ?? 0),
        offsets: Float64Array.from(rows, ({ offset }) => offset),
      }
      expect(encodePackIndex(columns, made.pack.slice(-20), format)).toEqual(expected)
    }
  })

  test('writes offsets on both sides of 2^31 so that git and we read them back', async () => {
    const random = createRandom(9)
    const offsets = [12, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, 2 ** 52]
    const ids = random.bytes(20 * offsets.length)
    // The same first bytes, so that order hangs on the last.
    for (let k = 0; k < offsets.length; k++) ids.fill(k % 2, 20 * k, 20 * k + 19)
    const crcs = Uint32Array.from(offsets, () => random.below(2 ** 32))
    const columns = { objectCount: offsets.length, ids, crcs, offsets: Float64Array.from(offsets) }
    const bytes = encodePackIndex(columns, new Uint8Array(20), format)
    const index = new PackIndex(bytes, 20)
    const lines = await showIndex(bytes)
    offsets.forEach((offset, k) => {
      const id = ids.subarray(20 * k, 20 * k + 20)
      const rank = index.find(id)
      expect(index.offset(rank)).toBe(offset)
      expect(index.crc(rank)).toBe(crcs[k])
      expect(lines[rank]).toEqual({ id: encodeHex(id), offset, crc: crcs[k] })
    })
    expect([...index.sortedOffsets]).toEqual(offsets)
  })

  test('sorts any ids, equal ones in the order they came', () => {
    const id = fc.tuple(fc.nat(1), fc.nat(2), fc.nat(2)).map(([a, b, c]) => {
      const bytes = new Uint8Array(20)
      bytes.set([a * 255, 0, b, 0, c], 0)
      return bytes
    })
    fc.assert(
      fc.property(fc.array(id, { maxLength: 40 }), (ids) => {
        const columns = {
          objectCount: ids.length,
          ids: new Uint8Array(Buffer.concat(ids)),
          crcs: new Uint32Array(ids.length),
          offsets: Float64Array.from(ids, (_, k) => 12 + k),
        }
        const index = new PackIndex(encodePackIndex(columns, new Uint8Array(20), format), 20)
        const expected = ids
          .map((bytes, k) => ({ hex: encodeHex(bytes), offset: 12 + k }))
          .sort((a, b) => (a.hex < b.hex ? -1 : a.hex > b.hex ? 1 : a.offset - b.offset))
        const found = ids.map((_, rank) => ({ hex: encodeHex(index.id(rank)), offset: index.offset(rank) }))
        expect(found).toEqual(expected)
        for (const bytes of ids) expect(index.id(index.find(bytes))).toEqual(bytes)
      }),
    )
  })

  test('writes the index of an empty pack as git does', async () => {
    const empty = new Uint8Array(0)
    const columns = { objectCount: 0, ids: empty, crcs: new Uint32Array(0), offsets: new Float64Array(0) }
    const pack = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')])
    const path = scratch.fresh('empty.pack')
    await writeFile(path, sealed(pack))
    await git(['index-pack', '-o', `${path}.idx`, path], { cwd: scratch.path })
    const written = encodePackIndex(columns, sealed(pack).subarray(-20), format)
    expect(written).toEqual(plain(await readFile(`${path}.idx`)))
    expect(new PackIndex(written, 20).find(new Uint8Array(20))).toBe(-1)
  })
})

describe('a damaged index', () => {
  test('cut short anywhere, or with bytes too many, is refused', async () => {
    const v1 = await gitIndex('1')
    const v2 = await gitIndex('2')
    for (const bytes of [v1, v2]) {
      for (let length = 0; length < bytes.length; length += 1 + (length >> 5)) {
        expect(() => new PackIndex(bytes.subarray(0, length), 20)).toThrow(gitError('CORRUPT_INDEX'))
      }
    }
    expect(() => new PackIndex(Buffer.concat([v1, Buffer.alloc(1)]), 20)).toThrow(gitError('CORRUPT_INDEX'))
    const most = v2.length + 8 * new PackIndex(v2, 20).objectCount
    expect(() => new PackIndex(Buffer.concat([v2, Buffer.alloc(most)]), 20)).toThrow(
      gitError('CORRUPT_INDEX'),
    )
  })

  test('of an unknown version, or whose fanout runs backwards, is refused', async () => {
    const bytes = await gitIndex('2')
    bytes[7] = 3
    expect(() => new PackIndex(bytes, 20)).toThrow(gitError('CORRUPT_INDEX', 'version 3'))
    bytes[7] = 2
    bytes[8] = 1
    expect(() => new PackIndex(bytes, 20)).toThrow(gitError('CORRUPT_INDEX', 'fanout'))
  })

  test('with an offset outside the 64-bit table, or beyond 2^53, is refused when it is asked for', async () => {
    const bytes = await gitIndex('2,0x40')
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const count = new PackIndex(bytes, 20).objectCount
    const large = (bytes.length - 8 - 1024 - 28 * count - 40) / 8
    view.setUint32(8 + 1024 + 24 * count, 0x80000000 + large)
    const index = new PackIndex(bytes, 20)
    expect(() => index.offset(0)).toThrow(gitError('CORRUPT_INDEX'))
    expect(() => index.packOrder).toThrow(gitError('CORRUPT_INDEX'))
    view.setUint32(8 + 1024 + 24 * count, 0x80000000)
    view.setUint32(8 + 1024 + 28 * count, 0x00200000)
    expect(() => new PackIndex(bytes, 20).offset(0)).toThrow(gitError('CORRUPT_INDEX', '2^53'))
  })

  test('with any bytes changed answers or throws CORRUPT_INDEX, and nothing else', async () => {
    const originals = await Promise.all(VERSIONS.map(gitIndex))
    const known = new PackIndex(originals[1]!, 20)
    const change = fc.tuple(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.nat(3),
        fc.boolean(),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        async (which, early, changes) => {
          const bytes = originals[which]!.slice()
          for (const [where, by] of changes) bytes[Math.floor(where * (early ? 1100 : bytes.length))]! ^= by
          const error = await caughtGitError(() => {
            const index = new PackIndex(bytes, 20)
            for (let rank = 0; rank < Math.min(20, known.objectCount); rank++) {
              const found = index.find(known.id(rank))
              expect(found).toBeLessThan(index.objectCount)
              if (found >= 0) {
                expect(index.offset(found)).toBeGreaterThanOrEqual(0)
                index.crc(found)
              }
            }
            expect(index.packOrder.length).toBe(index.objectCount)
            index.positionOf(12)
          })
          if (error !== undefined) expect(error.code).toBe('CORRUPT_INDEX')
        },
      ),
      { numRuns: 400 },
    )
  })
})
