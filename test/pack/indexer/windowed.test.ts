import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createPakoCodecs } from '../../../src/codec/pako/index.ts'
import { createPortableCodecs } from '../../../src/codec/portable/index.ts'
import { encodeHex } from '../../../src/bytes/hex.ts'
import { parseObjectType } from '../../../src/object/object-type.ts'
import { createHistory, HISTORY_NAMES } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { createRandom } from '../../support/random.ts'
import { encodeDelta, type Instruction } from '../../delta/naive-delta.ts'
import { packRevisions, readAllObjects, streamRevisions, type GitObject } from '../git-packs.ts'
import { rawPack, resealed, type RawPackEntry } from '../raw-entries.ts'
import { change, mutate } from './mutations.ts'
import { digest, expectSame, indexResident, indexWindowed, settled } from './windowed-forms.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const KIB = 1 << 10

describe.each(HISTORY_NAMES)('a pack of %s', (name) => {
  let repository = ''

  beforeAll(async () => {
    repository = await createHistory(name, scratch.fresh(name), { scale: 0.2 })
  })

  test.each([
    ['ofs-deltas', ['--delta-base-offset', '--no-reuse-delta', '--depth=50']],
    ['ref-deltas', ['--no-reuse-delta', '--window=20', '--depth=250']],
    ['no deltas', ['--depth=0', '--no-reuse-delta']],
  ])('with %s is indexed in any amount of memory as it is in all of it', async (_what, args) => {
    const made = await packRevisions(repository, scratch.path, args)
    const resident = await indexResident(made.pack, { codecs })
    expect(resident.index).toBe(digest(made.index))
    for (const [memoryBytes, chunkSize] of [
      [64 * KIB, 1000],
      [256 * KIB, 65536],
      [16 * KIB * KIB, 1 << 20],
    ] as const) {
      expectSame(await indexWindowed(made.pack, { codecs, memoryBytes, chunkSize }), resident)
    }
  })
})

describe('a thin pack', () => {
  let objects = new Map<string, GitObject>()
  let thin: Uint8Array
  const readBase = (
    id: Uint8Array,
  ): ReturnType<NonNullable<Parameters<typeof indexResident>[1]['readBase']>> => {
    const object = objects.get(encodeHex(id))
    return object === undefined ? null : { type: parseObjectType(object.type), body: object.body }
  }

  beforeAll(async () => {
    const repository = await createHistory('source-like', scratch.fresh('thin'), { scale: 0.3 })
    objects = await readAllObjects(repository)
    thin = await streamRevisions(repository, ['--thin'], ['main', '^main~9'])
  })

  test('is completed as in memory, byte for byte', async () => {
    const resident = await indexResident(thin, { codecs, readBase })
    expect(resident.counts[2]).toBeGreaterThan(0)
    const windowed = await indexWindowed(thin, { codecs, readBase, memoryBytes: 64 * KIB, chunkSize: 777 })
    expectSame(windowed, resident)
  })

  test('is refused in the same words where bases are missing', async () => {
    const some = (id: Uint8Array): ReturnType<typeof readBase> => (id[0]! % 2 === 0 ? null : readBase(id))
    for (const read of [undefined, some]) {
      const options = read === undefined ? { codecs } : { codecs, readBase: read }
      const resident = await settled(indexResident(thin, options))
      const memory = { memoryBytes: 64 * KIB, chunkSize: 4096 }
      expectSame(await settled(indexWindowed(thin, { ...options, ...memory })), resident)
      expect(resident).toMatchObject({ code: 'MISSING_BASE' })
    }
  })
})

describe('large objects', () => {
  const random = createRandom(5)
  const noise = random.bytes(700 * KIB)
  const text = Buffer.from('a line of text that repeats itself\n'.repeat(20_000))
  const patch = (at: number): Uint8Array =>
    encodeDelta(noise, [
      { kind: 'copy', offset: 0, size: at },
      { kind: 'insert', bytes: Buffer.from(`patched at ${at}`) },
      { kind: 'copy', offset: at, size: noise.length - at },
    ])
  const inserts = Array.from({ length: 2000 }, (_, k): Instruction => ({
    kind: 'insert',
    bytes: noise.subarray(100 * k, 100 * k + 100),
  }))
  const entries: RawPackEntry[] = [
    { type: 'blob', body: noise },
    { type: 'blob', body: text },
    ...Array.from({ length: 12 }, (_, k): RawPackEntry => ({
      type: 'ofs-delta',
      base: 0,
      body: patch(1000 * k + 1),
    })),
    { type: 'ofs-delta', base: 1, body: encodeDelta(text, inserts) },
    { type: 'tag', body: text },
    { type: 'blob', body: Buffer.alloc(0) },
  ]

  test('and deltas on them are indexed in little memory', async () => {
    const pack = rawPack(entries)
    const options = { codecs, reachability: false }
    const resident = await indexResident(pack, options)
    for (const [memoryBytes, chunkSize] of [
      [32 * KIB, 100],
      [200 * KIB, 65536],
      [4096 * KIB, 1 << 20],
    ] as const) {
      const windowed = await indexWindowed(pack, { ...options, memoryBytes, chunkSize })
      expectSame(windowed, resident)
    }
  })

  test('that are damaged are refused in the same words', async () => {
    const pack = rawPack(entries)
    const providers = [codecs, createPortableCodecs(), createPakoCodecs()]
    for (const provider of providers) {
      const options = { codecs: provider, reachability: false }
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
          const mutated = resealed(mutate(pack, changes))
          const resident = await settled(indexResident(mutated, options))
          const memory = { memoryBytes: 64 * KIB, chunkSize: 30_000 }
          expectSame(await settled(indexWindowed(mutated, { ...options, ...memory })), resident)
        }),
        { numRuns: 60 },
      )
    }
  })
})

describe('long chains and forks of deltas', () => {
  const random = createRandom(9)
  const versions = [random.bytes(9000)]
  const entries: RawPackEntry[] = [{ type: 'blob', body: versions[0]! }]
  for (let k = 1; k < 300; k++) {
    const base = Math.max(0, k - 1 - random.below(40))
    const body = versions[base]!
    const cut = 1 + random.below(8000)
    const line = Buffer.from(`version ${k} on ${base}`)
    versions.push(Buffer.concat([body.subarray(0, cut), line, body.subarray(cut)]))
    const delta = encodeDelta(body, [
      { kind: 'copy', offset: 0, size: cut },
      { kind: 'insert', bytes: line },
      { kind: 'copy', offset: cut, size: body.length - cut },
    ])
    entries.push({ type: 'ofs-delta', base, body: delta })
  }

  test.each([32, 64, 128, 1024])(
    'come out right in %i KiB, however often bases are derived again',
    async (kib) => {
      const pack = rawPack(entries)
      const resident = await indexResident(pack, { codecs })
      const windowed = await indexWindowed(pack, { codecs, memoryBytes: kib * KIB, chunkSize: 5000 })
      expectSame(windowed, resident)
    },
  )
})

describe('a mutated pack', () => {
  const packs: Uint8Array[] = []

  beforeAll(async () => {
    const repository = await createHistory('source-like', scratch.fresh('mutated'), { scale: 0.02 })
    for (const args of [['--delta-base-offset'], []]) {
      packs.push((await packRevisions(repository, scratch.path, args)).pack)
    }
    const bodies = ['a', 'ab', 'abc'].map((body) => Buffer.from(body))
    const entries: RawPackEntry[] = []
    for (let k = 0; k < 12; k++) {
      entries.push({ type: 'blob', body: bodies[k % 3]! })
      const delta = encodeDelta(bodies[k % 3]!, [{ kind: 'insert', bytes: Buffer.from(`delta ${k}`) }])
      entries.push({ type: 'ofs-delta', base: 2 * k, body: delta })
    }
    packs.push(rawPack(entries))
  })

  test.each([
    ['as it is', (pack: Uint8Array) => pack],
    ['with its checksum made right', (pack: Uint8Array) => resealed(pack)],
  ])('%s is refused in the same words, or gets the same index', async (_what, seal) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3000 }),
        async (which, changes, chunkSize) => {
          const pack = seal(mutate(packs[which]!, changes))
          const limits = { codecs, maxObjectBytes: 1 << 26 }
          const resident = await settled(indexResident(pack, limits))
          const windowed = await settled(indexWindowed(pack, { ...limits, chunkSize, memoryBytes: 64 * KIB }))
          expectSame(windowed, resident)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('cut anywhere is refused in the same words', async () => {
    const pack = packs[2]!
    for (let length = 0; length < pack.length; length++) {
      const cut = pack.subarray(0, length)
      const resident = await settled(indexResident(cut, { codecs }))
      const windowed = await settled(indexWindowed(cut, { codecs, chunkSize: 50, memoryBytes: 64 * KIB }))
      expectSame(windowed, resident)
    }
  })
})
