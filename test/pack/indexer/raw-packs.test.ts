import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../../src/bytes/concat.ts'
import { encodeHex, parseHex } from '../../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { GitError } from '../../../src/errors.ts'
import { BLOB } from '../../../src/object/object-type.ts'
import { indexPack, type IndexPackOptions, type PackWithIndex } from '../../../src/pack/indexer/index-pack.ts'
import { ResidentIndexer } from '../../../src/pack/indexer/resident-indexer.ts'
import { PackIndex } from '../../../src/pack/pack-index.ts'
import { encodeDelta, encodeSize, evaluate, type Instruction } from '../../delta/naive-delta.ts'
import { gitError } from '../../support/git-error.ts'
import { createRandom } from '../../support/random.ts'
import { rawPack, resealed, sealed, type RawPackEntry } from '../raw-entries.ts'

const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

function index(pack: Uint8Array, options: Partial<IndexPackOptions> = {}): Promise<PackWithIndex> {
  return indexPack(pack, { format, codecs, ...options })
}

function blobId(body: Uint8Array): string {
  return createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex')
}

function idsIn({ index: bytes }: PackWithIndex): string[] {
  const parsed = new PackIndex(bytes, 20)
  return Array.from({ length: parsed.objectCount }, (_, rank) => encodeHex(parsed.id(rank)))
}

const text = (words: string): Buffer => Buffer.from(words)
const append = (base: Uint8Array, more: string): Instruction[] => [
  ...(base.length > 0 ? [{ kind: 'copy', offset: 0, size: base.length } as const] : []),
  { kind: 'insert', bytes: text(more) },
]

describe('well-formed packs', () => {
  test('a pack of no objects has an index of no objects', async () => {
    const pack = rawPack([])
    expect(await index(pack)).toMatchObject({ objectCount: 0, deltaCount: 0, addedCount: 0 })
  })

  test('empty bodies, and deltas on and to empty bodies, are indexed', async () => {
    const empty = text('')
    const grown = text('grown')
    const pack = rawPack([
      { type: 'blob', body: empty },
      { type: 'ofs-delta', base: 0, body: encodeDelta(empty, append(empty, 'grown')) },
      { type: 'ofs-delta', base: 1, body: encodeDelta(grown, []) },
    ])
    const indexed = await index(pack)
    expect(idsIn(indexed)).toEqual([blobId(empty), blobId(empty), blobId(grown)].sort())
  })

  test('a base may stand behind the ref-deltas that need it, and a chain in any order', async () => {
    const bodies = [text('one'), text('one two'), text('one two three'), text('one two three four')]
    const delta = (k: number): RawPackEntry => ({
      type: 'ref-delta',
      baseId: blobId(bodies[k - 1]!),
      body: encodeDelta(
        bodies[k - 1]!,
        append(bodies[k - 1]!, bodies[k]!.toString().slice(bodies[k - 1]!.length)),
      ),
    })
    for (const order of [
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [1, 3, 0, 2],
    ]) {
      const indexed = await index(
        rawPack(order.map((k) => (k === 0 ? { type: 'blob', body: bodies[0]! } : delta(k)))),
      )
      expect(idsIn(indexed)).toEqual(bodies.map(blobId).sort())
    }
  })

  test('big objects in chains and in forks of deltas come out right, with and without siblings', async () => {
    const random = createRandom(3)
    const size = 3 << 20
    const base = new Uint8Array(size)
    base.set(random.bytes(4096), 1 << 20)
    const bodies: Uint8Array[] = [base]
    const entries: RawPackEntry[] = [{ type: 'blob', body: base }]
    const derive = (from: number): void => {
      const cut = random.below(size - 100)
      const length = bodies[from]!.length
      const instructions: Instruction[] = [
        { kind: 'copy', offset: 0, size: cut },
        { kind: 'insert', bytes: random.bytes(1 + random.below(100)) },
        { kind: 'copy', offset: cut, size: length - cut },
      ]
      entries.push({ type: 'ofs-delta', base: from, body: encodeDelta(bodies[from]!, instructions) })
      bodies.push(evaluate(bodies[from]!, instructions))
    }
    for (let k = 0; k < 9; k++) derive(k)
    derive(4)
    derive(4)
    derive(10)
    derive(12)
    derive(13)
    derive(0)
    derive(15)
    const seen = new Map<string, string>()
    const indexed = await index(rawPack(entries), {
      visit: (_type, body, id) => seen.set(encodeHex(id), blobId(body)),
    })
    expect(idsIn(indexed)).toEqual(bodies.map(blobId).sort())
    for (const [id, hashed] of seen) expect(hashed).toBe(id)
    expect(idsIn(await index(rawPack(entries)))).toEqual(bodies.map(blobId).sort())
  })

  test('big objects that nobody sees are named, and those that a delta names by its id are a base too', async () => {
    const random = createRandom(4)
    const base = random.bytes((1 << 20) + 1)
    const bodies = [base, ...['two', ' three', ' four'].map(() => base)]
    const entries: RawPackEntry[] = [{ type: 'blob', body: base }]
    for (let k = 1; k < bodies.length; k++) {
      const instructions = append(bodies[k - 1]!, `more ${k}`)
      bodies[k] = evaluate(bodies[k - 1]!, instructions)
      const body = encodeDelta(bodies[k - 1]!, instructions)
      entries.push(
        k === 1
          ? { type: 'ofs-delta', base: 0, body }
          : { type: 'ref-delta', baseId: blobId(bodies[k - 1]!), body },
      )
    }
    const indexed = await index(rawPack(entries), { reachability: true })
    expect(idsIn(indexed)).toEqual(bodies.map(blobId).sort())
  })

  test('what is wrong with a big object is said as of a small one', async () => {
    const messages: string[] = []
    for (const length of [1000, 2 << 20]) {
      const body = createRandom(5).bytes(length)
      const stream = deflateSync(body)
      const delta = encodeDelta(body, append(body, 'more'))
      const small = { type: 'blob', body: text('x') } as const
      for (const entries of [
        [{ type: 'blob', body, stream: stream.subarray(0, -8) }],
        [
          {
            type: 'blob',
            body,
            stream: Buffer.concat([stream.subarray(0, -1), Buffer.of(stream.at(-1)! ^ 1)]),
          },
        ],
        [small, { type: 'blob', body, size: length - 1 }],
        [
          { type: 'blob', body },
          { type: 'ofs-delta', base: 0, body: delta.subarray(0, -1) },
        ],
        [
          { type: 'blob', body },
          { type: 'ofs-delta', base: 0, body: Buffer.concat([delta.subarray(0, -5), Buffer.of(0)]) },
        ],
      ] satisfies RawPackEntry[][]) {
        const error: unknown = await index(rawPack(entries)).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(GitError)
        messages.push(
          String(error)
            .replace(/offset \d+/, 'offset n')
            .replace(String(length - 1), 'n'),
        )
      }
    }
    expect(messages.slice(5)).toEqual(messages.slice(0, 5))
  })

  test('may be indexed in steps of any size, with the same result', () => {
    const random = createRandom(4)
    const bodies = [random.bytes(300)]
    const entries: RawPackEntry[] = [{ type: 'blob', body: bodies[0]! }]
    for (let k = 1; k < 60; k++) {
      const from = random.below(k)
      const instructions = append(bodies[from]!, `version ${k}`)
      bodies.push(evaluate(bodies[from]!, instructions))
      entries.push(
        random.chance(0.5)
          ? { type: 'ofs-delta', base: from, body: encodeDelta(bodies[from]!, instructions) }
          : {
              type: 'ref-delta',
              baseId: blobId(bodies[from]!),
              body: encodeDelta(bodies[from]!, instructions),
            },
      )
    }
    const pack = rawPack(entries)
    for (const work of [0, 1, 50, 1e9]) {
      const indexer = new ResidentIndexer(pack, { format, codecs })
      let steps = 0
      const limit = 1000
      while (!indexer.scan(Math.max(1, work))) expect(++steps).toBeLessThan(limit)
      while (!indexer.resolve(work)) expect(++steps).toBeLessThan(limit)
      const { table } = indexer.finish()
      const ids = Array.from({ length: table.count }, (_, row) =>
        encodeHex(table.ids, 20 * row, 20 * row + 20),
      )
      expect(ids).toEqual(bodies.map(blobId))
    }
  })
})

describe('malformed packs', () => {
  const one = text('one')
  const good: readonly RawPackEntry[] = [
    { type: 'blob', body: one },
    { type: 'ofs-delta', base: 0, body: encodeDelta(one, append(one, ' two')) },
    { type: 'blob', body: createRandom(6).bytes(200) },
  ]

  test('cut short anywhere are refused, whether the checksum is made right again or not', async () => {
    const pack = rawPack(good)
    for (let length = 0; length < pack.length; length++) {
      await expect(index(pack.subarray(0, length))).rejects.toThrow(gitError('CORRUPT_PACK'))
      if (length >= 12)
        await expect(index(sealed(pack.subarray(0, Math.min(length, pack.length - 21))))).rejects.toThrow(
          gitError('CORRUPT_PACK'),
        )
    }
  })

  test('with any bit of the checksum wrong are refused', async () => {
    const pack = rawPack(good)
    for (let at = pack.length - 20; at < pack.length; at++) {
      const spoiled = Uint8Array.from(pack)
      spoiled[at]! ^= 1
      await expect(index(spoiled)).rejects.toThrow(gitError('CORRUPT_PACK', 'SHA1 mismatch'))
    }
  })

  test.each<readonly [string, Uint8Array, string]>([
    ['that promise more objects than there are', rawPack(good, 4), 'early EOF'],
    ['that promise four thousand million objects', rawPack(good, 0xffffffff), 'early EOF'],
    ['that promise fewer objects than there are', rawPack(good, 2), 'junk'],
    ['that promise none', rawPack(good, 0), 'junk'],
    ['with junk at the end', sealed(Buffer.concat([rawPack(good).subarray(0, -20), text('junk')])), 'junk'],
    ['with junk behind the checksum', Buffer.concat([rawPack(good), text('j')]), 'junk'],
    ['with an unknown type', rawPack([{ type: 0, body: one }]), 'unknown object type 0'],
    ['with the reserved type', rawPack([{ type: 5, body: one }]), 'unknown object type 5'],
    ['with a size too small', rawPack([{ type: 'blob', body: one, size: 2 }]), 'offset 12'],
    ['with a size too large', rawPack([{ type: 'blob', body: one, size: 4 }]), 'offset 12'],
    ['with a size beyond all reason', rawPack([{ type: 'blob', body: one, size: 2 ** 52 }]), ''],
    [
      'with a zlib stream of nonsense',
      rawPack([{ type: 'blob', body: one, stream: text('nonsense!') }]),
      'offset 12',
    ],
    ['with an ofs-delta to nowhere', rawPack([good[0]!, { ...good[1]!, distance: 7 }]), 'out of bound'],
    [
      'with an ofs-delta on the pack header',
      rawPack([{ type: 'ofs-delta', distance: 12, body: one }]),
      'out of bound',
    ],
    [
      'with an ofs-delta before the pack',
      rawPack([{ type: 'ofs-delta', distance: 5000, body: one }]),
      'out of bound',
    ],
    [
      'with an ofs-delta far before the pack',
      rawPack([{ type: 'ofs-delta', distance: 2 ** 50, body: one }]),
      'out of bound',
    ],
    [
      'with a delta of nonsense',
      rawPack([good[0]!, { type: 'ofs-delta', base: 0, body: text('nonsense') }]),
      'offset 24',
    ],
    ['with an empty delta', rawPack([good[0]!, { type: 'ofs-delta', base: 0, body: text('') }]), 'offset 24'],
    [
      'with a delta for a base of another size',
      rawPack([good[0]!, { type: 'ofs-delta', base: 0, body: encodeDelta(text('four'), []) }]),
      'base size mismatch',
    ],
    [
      'with a delta that promises terabytes',
      rawPack([
        good[0]!,
        { type: 'ofs-delta', base: 0, body: Uint8Array.from([3, ...encodeSize(2 ** 45), 0x90, 3]) },
      ]),
      '',
    ],
    [
      'with a delta size in hundreds of bytes',
      rawPack([
        good[0]!,
        {
          type: 'ofs-delta',
          base: 0,
          body: Buffer.concat([Buffer.of(3), Buffer.alloc(300, 0x80), Buffer.of(0)]),
        },
      ]),
      'offset 24',
    ],
  ])('%s are refused', async (_what, pack, message) => {
    const error = (await index(pack).catch((caught: unknown) => caught)) as Error & { code?: string }
    expect(['CORRUPT_PACK', 'LIMIT_EXCEEDED']).toContain(error.code)
    expect(error.message).toContain(message)
  })

  test('with a ref-delta on an object that is nowhere are refused, with its id', async () => {
    const baseId = 'ab'.repeat(20)
    const pack = rawPack([good[0]!, { type: 'ref-delta', baseId, body: encodeDelta(one, []) }])
    await expect(index(pack)).rejects.toMatchObject({
      code: 'MISSING_BASE',
      details: { unresolved: 1, base: baseId },
    })
  })

  test('with ref-deltas on themselves or in a circle are refused', async () => {
    const copyAll: Instruction[] = [{ kind: 'copy', offset: 0, size: 3 }]
    const self = rawPack([{ type: 'ref-delta', baseId: blobId(one), body: encodeDelta(one, copyAll) }])
    await expect(index(self)).rejects.toThrow(gitError('MISSING_BASE'))
    const two = text('one two')
    const circle = rawPack([
      { type: 'ref-delta', baseId: blobId(two), body: encodeDelta(two, copyAll) },
      { type: 'ref-delta', baseId: blobId(one), body: encodeDelta(one, append(one, ' two')) },
    ])
    await expect(index(circle)).rejects.toMatchObject({ code: 'MISSING_BASE', details: { unresolved: 2 } })
    // With one of the two in the store the circle is open: git accepts it as well.
    const opened = await index(circle, {
      readBases: (ids) =>
        Promise.resolve(ids.map((id) => (encodeHex(id) === blobId(one) ? { type: BLOB, body: one } : null))),
    })
    expect(new Set(idsIn(opened))).toEqual(new Set([blobId(one), blobId(two)]))
  })

  test('a base that the store gives with other content leads to no object under its id', async () => {
    const delta = encodeDelta(one, append(one, ' two'))
    const pack = rawPack([{ type: 'ref-delta', baseId: blobId(one), body: delta }])
    const lying = index(pack, { readBases: () => Promise.resolve([{ type: BLOB, body: text('o') }]) })
    await expect(lying).rejects.toThrow(gitError('CORRUPT_PACK', 'base size mismatch'))
  })

  test('a ref-delta is found under its base whatever else waits', async () => {
    const bases = Array.from({ length: 40 }, (_, k) => text(`base ${k}`))
    const results = bases.map((base) => text(`${base.toString()} more`))
    const entries = bases.map((base): RawPackEntry => ({
      type: 'ref-delta',
      baseId: blobId(base),
      body: encodeDelta(base, append(base, ' more')),
    }))
    const indexed = await index(rawPack(entries), {
      readBases: (ids) =>
        Promise.resolve(
          ids.map((id) => ({ type: BLOB, body: bases.find((base) => blobId(base) === encodeHex(id))! })),
        ),
    })
    expect(indexed.addedCount).toBe(40)
    expect(idsIn(indexed)).toEqual([...bases, ...results].map(blobId).sort())
    const pack = concatBytes(indexed.pieces)
    expect((await index(pack)).index).toEqual(indexed.index)
    expect(Buffer.compare(resealed(pack), pack)).toBe(0)
    expect(parseHex(blobId(bases[0]!))).toHaveLength(20)
  })
})

describe('limits', () => {
  const body = new Uint8Array(1000)
  const pack = rawPack([
    { type: 'blob', body },
    {
      type: 'ofs-delta',
      base: 0,
      body: encodeDelta(body, [
        { kind: 'copy', offset: 0, size: 1000 },
        { kind: 'copy', offset: 0, size: 500 },
      ]),
    },
  ])

  test('maxObjectBytes holds for stored objects and for results of deltas, and is inclusive', async () => {
    const indexing = (maxObjectBytes: number): Promise<PackWithIndex> => index(pack, { maxObjectBytes })
    await expect(indexing(999)).rejects.toThrow(gitError('LIMIT_EXCEEDED', '1000 bytes'))
    await expect(indexing(1499)).rejects.toThrow(gitError('LIMIT_EXCEEDED', '1500 bytes'))
    await expect(indexing(1500)).resolves.toMatchObject({ objectCount: 2 })
  })

  test('an abort ends the work with its reason', async () => {
    const controller = new AbortController()
    controller.abort(new Error('gone'))
    const big = rawPack(
      Array.from({ length: 3 }, (_, k) => ({ type: 'blob', body: createRandom(k).bytes(5 << 20) })),
    )
    await expect(index(big, { signal: controller.signal })).rejects.toThrow('gone')
  })
})
