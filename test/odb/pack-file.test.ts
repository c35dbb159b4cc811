import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseHex, encodeHex } from '../../src/bytes/hex.ts'
import { SharedLru } from '../../src/bytes/shared-lru.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import type { RawObject } from '../../src/object/object-reader.ts'
import { objectTypeName } from '../../src/object/object-type.ts'
import { CachedFile } from '../../src/odb/cached-file.ts'
import { createObjectCaches } from '../../src/odb/memory-budget.ts'
import { PackFile } from '../../src/odb/pack-file.ts'
import { ResidentPackData } from '../../src/odb/resident-pack-data.ts'
import { encodePackIndex } from '../../src/pack/encode-pack-index.ts'
import { indexPack } from '../../src/pack/indexer/index-pack.ts'
import { PackIndex } from '../../src/pack/pack-index.ts'
import { encodeDelta, encodeSize, evaluate, type Instruction } from '../delta/naive-delta.ts'
import { packRevisions, readAllObjects, type GitObject, type GitPack } from '../pack/git-packs.ts'
import { rawPack, type RawPackEntry } from '../pack/raw-entries.ts'
import { createHistory } from '../support/histories.ts'
import { caughtGitError, gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { FakeFile } from './fake-file.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

function open(
  { pack, index }: Pick<GitPack, 'pack' | 'index'>,
  cacheBytes: number,
): { file: PackFile; fake: FakeFile } {
  const caches = createObjectCaches(cacheBytes)
  const fake = new FakeFile(pack)
  const data = new CachedFile(pack.length, fake.open, caches.blocks)
  return { file: new PackFile('pack-test', new PackIndex(index, 20), data, codecs, caches.objects), fake }
}

function openResident(pack: Uint8Array, index: Uint8Array, cacheBytes = 1 << 20): PackFile {
  const data = new ResidentPackData(pack)
  return new PackFile(
    'pack-test',
    new PackIndex(index, 20),
    data,
    codecs,
    new SharedLru<RawObject>(cacheBytes),
  )
}

async function read(file: PackFile, rank: number, rounds = 20_000): Promise<RawObject> {
  for (let round = 0; ; round++) {
    const object = file.tryRead(rank)
    if (object !== undefined) return object
    expect(round).toBeLessThan(rounds)
    await file.data.settle()
  }
}

function expectObject(found: RawObject, id: string, objects: ReadonlyMap<string, GitObject>): void {
  const expected = objects.get(id)
  expect(objectTypeName(found.type)).toBe(expected?.type)
  expect(Buffer.compare(found.body, expected?.body ?? new Uint8Array(0))).toBe(0)
}

describe('reading packs of git', () => {
  let objects = new Map<string, GitObject>()
  const packs: GitPack[] = []

  beforeAll(async () => {
    const repository = await createHistory('source-like', scratch.fresh('read'), { scale: 0.1 })
    await createHistory('binary', scratch.fresh('unused'), { scale: 0.1 })
    objects = await readAllObjects(repository)
    for (const args of [
      ['--delta-base-offset'],
      ['--no-reuse-delta', '--depth=250'],
      ['--no-reuse-delta', '--depth=0'],
    ]) {
      packs.push(await packRevisions(repository, scratch.path, args))
    }
  })

  test.each([0, 1 << 14, 64 << 10, 1 << 20, 64 << 20])(
    'gives every object as git does, with a cache of %i bytes',
    async (cacheBytes) => {
      for (const pack of packs) {
        const { file, fake } = open(pack, cacheBytes)
        expect(file.index.objectCount).toBe(objects.size)
        for (let rank = 0; rank < file.index.objectCount; rank++) {
          expectObject(await read(file, rank), encodeHex(file.index.id(rank)), objects)
        }
        await file.close()
        expect(fake.closed).toBe(1)
      }
    },
  )

  test('answers a whole frontier after few settles', async () => {
    for (const pack of packs) {
      const { file, fake } = open(pack, 64 << 20)
      let waiting = Array.from({ length: file.index.objectCount }, (_, rank) => rank)
      for (let round = 0; waiting.length > 0; round++) {
        expect(round).toBeLessThan(3)
        waiting = waiting.filter((rank) => file.tryRead(rank) === undefined)
        await file.data.settle()
      }
      expect(fake.reads.length).toBeLessThan(3)
    }
  })

  test('describes every entry as it is stored', async () => {
    for (const pack of packs) {
      const { file } = open(pack, 64 << 20)
      const { index } = file
      await file.data.settle()
      for (let position = 0; position < index.objectCount; position++) {
        const rank = index.packOrder[position]!
        let entry = file.tryEntry(rank)
        while (entry === undefined) {
          await file.data.settle()
          entry = file.tryEntry(rank)
        }
        const offset = index.offset(rank)
        const whole = await read(file, rank)
        const stored = new Uint8Array(entry.size)
        const used = codecs.inflate.inflateInto(
          pack.pack,
          offset + entry.headerLength,
          pack.pack.length,
          stored,
          0,
          entry.size,
        )
        expect(offset + entry.headerLength + used).toBe(file.entryEnd(position))
        if (entry.type <= 4) {
          expect(entry.type).toBe(whole.type)
          expect(entry.baseRank).toBe(-1)
          expect(Buffer.compare(stored, whole.body)).toBe(0)
        } else {
          expect(entry.baseRank).toBeGreaterThanOrEqual(0)
          expect((await read(file, entry.baseRank)).type).toBe(whole.type)
        }
      }
      expect(file.entryEnd(index.objectCount - 1)).toBe(file.entriesEnd)
    }
  })

  test('with bytes of pack or index changed gives objects or throws GitErrors, and never hangs', async () => {
    const change = fc.tuple(
      fc.boolean(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1),
        fc.array(change, { minLength: 1, maxLength: 30 }),
        async (which, changes) => {
          const pack = packs[which]!.pack.slice()
          const index = packs[which]!.index.slice()
          for (const [inPack, where, by] of changes) {
            const bytes = inPack ? pack : index
            bytes[Math.floor(where * bytes.length)]! ^= by
          }
          let file: PackFile | undefined
          await caughtGitError(() => (file = open({ pack, index }, 1 << 20).file))
          if (file === undefined) return
          for (let rank = 0; rank < file.index.objectCount; rank += 3) {
            const opened = file
            await caughtGitError(() => read(opened, rank, 600))
            await caughtGitError(async () => {
              while (opened.tryEntry(rank) === undefined) await opened.data.settle()
            })
          }
        },
      ),
      { numRuns: 120 },
    )
  })
})

describe('delta chains', () => {
  const DEPTH = 4095
  const start = Buffer.alloc(200, 'start ')
  const bodies = Array.from({ length: DEPTH + 1 }, (_, k) =>
    k === 0 ? start : Buffer.concat([start, Buffer.from(` version ${k}`)]),
  )
  const entries = bodies.map((body, k): RawPackEntry => {
    if (k === 0) return { type: 'blob', body }
    const delta = encodeDelta(bodies[k - 1]!, [
      { kind: 'copy', offset: 0, size: start.length },
      { kind: 'insert', bytes: body.subarray(start.length) },
    ])
    return { type: 'ofs-delta', base: k - 1, body: delta }
  })

  test.each([0, 64 << 10, 64 << 20])(
    'of 4095 deltas are followed without recursion, with a cache of %i bytes',
    async (cacheBytes) => {
      const pack = rawPack(entries)
      const { index } = await indexPack(pack, { format, codecs })
      const { file } = open({ pack, index }, cacheBytes)
      const order = file.index.packOrder
      for (const k of [DEPTH, DEPTH - 1, 2000, 1, 0, DEPTH]) {
        const { body } = await read(file, order[k]!)
        expect(Buffer.compare(body, bodies[k]!)).toBe(0)
      }
    },
  )

  test.each([0, 300_000, 64 << 20])(
    'whose versions grow from small to large and back are followed, with a cache of %i bytes',
    async (cacheBytes) => {
      const random = createRandom(9)
      const sizes = [900, 1000, 1500, 30_000, 31_000, 50_000, 70_000, 200_000, 150_000, 800, 5, 0, 40_000]
      const versions: Uint8Array[] = [random.bytes(1000)]
      const grown = sizes.map((size, k): RawPackEntry => {
        const former = versions[k]!
        const instructions: Instruction[] = [{ kind: 'insert', bytes: random.bytes(100) }]
        for (let left = size; left > 0 && former.length > 0;) {
          const taken = Math.min(left, former.length, 60_000)
          instructions.push({ kind: 'copy', offset: random.below(former.length - taken + 1), size: taken })
          left -= taken
        }
        versions.push(evaluate(former, instructions))
        return { type: 'ofs-delta', base: k, body: encodeDelta(former, instructions) }
      })
      const pack = rawPack([{ type: 'blob', body: versions[0]! }, ...grown])
      const { index } = await indexPack(pack, { format, codecs })
      for (let first = versions.length - 1; first >= 0; first--) {
        const { file } = open({ pack, index }, cacheBytes)
        for (const k of [first, 0, versions.length - 1, first]) {
          const { body } = await read(file, file.index.packOrder[k]!)
          expect(Buffer.compare(body, versions[k]!)).toBe(0)
        }
      }
    },
  )
})

describe('damaged packs', () => {
  const one = Buffer.from('one')

  /** An index that names the entries of a pack that the indexer would refuse. */
  function indexOf(ids: readonly string[], offsets: readonly number[], pack: Uint8Array): Uint8Array {
    const columns = {
      objectCount: ids.length,
      ids: new Uint8Array(Buffer.from(ids.join(''), 'hex')),
      crcs: new Uint32Array(ids.length),
      offsets: Float64Array.from(offsets),
    }
    return encodePackIndex(columns, pack.slice(-20), format)
  }

  const A = '0a'.repeat(20)
  const B = '0b'.repeat(20)

  test('a circle of ref-deltas is refused', () => {
    const delta = encodeDelta(one, [{ kind: 'copy', offset: 0, size: 3 }])
    const entries: RawPackEntry[] = [
      { type: 'ref-delta', baseId: B, body: delta },
      { type: 'ref-delta', baseId: A, body: delta },
    ]
    const pack = rawPack(entries)
    const second = rawPack(entries.slice(0, 1)).length - 20
    const file = openResident(pack, indexOf([A, B], [12, second], pack))
    expect(() => file.tryRead(0)).toThrow(gitError('CORRUPT_PACK', 'circle'))
    expect(() => file.tryRead(1)).toThrow(gitError('CORRUPT_PACK', 'circle'))
  })

  test.each<readonly [string, RawPackEntry]>([
    ['a base that is not in the pack', { type: 'ref-delta', baseId: B, body: one }],
    ['a base before the pack', { type: 'ofs-delta', distance: 5000, body: one }],
    ['a base where no entry begins', { type: 'ofs-delta', distance: 3, body: one }],
    ['a size beyond all memory', { type: 'blob', body: one, size: 2 ** 50 }],
    ['a size beyond what is there', { type: 'blob', body: one, size: 2 ** 31 }],
    ['a size that is wrong', { type: 'blob', body: one, size: 2 }],
    ['the reserved type', { type: 5, body: one }],
    ['no zlib stream', { type: 'blob', body: one, stream: Buffer.from('no zlib') }],
  ])('an entry with %s is refused', (_what, entry) => {
    const pack = rawPack([entry])
    const file = openResident(pack, indexOf([A], [12], pack))
    expect(() => file.tryRead(0)).toThrow(gitError('CORRUPT_PACK', 'offset 12 of pack-test'))
  })

  test.each([
    ['terabytes', 2 ** 45],
    ['two gigabytes', 2 ** 31 - 1],
  ])('a delta that promises %s is refused', (_what, size) => {
    const pack = rawPack([
      { type: 'blob', body: one },
      { type: 'ofs-delta', base: 0, body: Uint8Array.from([3, ...encodeSize(size), 0x90, 3]) },
    ])
    const second = rawPack([{ type: 'blob', body: one }]).length - 20
    const file = openResident(pack, indexOf([A, B], [12, second], pack))
    expect(() => file.tryRead(1)).toThrow(gitError('CORRUPT_PACK'))
    expect(file.tryRead(0)?.body).toEqual(new Uint8Array(one))
  })

  test.each([0, 11, 30, 31, 32, 1000, 2 ** 40])(
    'an index that names the offset %i is refused',
    async (offset) => {
      const pack = rawPack([{ type: 'blob', body: one }])
      const index = indexOf([A], [offset], pack)
      const { file } = open({ pack, index }, 1 << 20)
      const reading = async (): Promise<unknown> => read(file, file.index.find(parseHex(A)), 5)
      expect((await caughtGitError(reading))?.code).toBe('CORRUPT_PACK')
      const entry = await caughtGitError(async () => {
        while (file.tryEntry(0) === undefined) await file.data.settle()
      })
      if (offset < 12 || offset > 23) expect(entry?.code).toBe('CORRUPT_PACK')
    },
  )
})
