import fc from 'fast-check'
import { hash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { hashObject } from '../../../src/object/object-id.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { BLOB } from '../../../src/object/object-type.ts'
import { indexPack, type IndexPackOptions } from '../../../src/pack/indexer/index-pack.ts'
import { resolveTogether, scanTogether } from '../../../src/pack/indexer/index-together.ts'
import type { IndexerThreads } from '../../../src/pack/indexer/indexer-threads.ts'
import { ShareOfResolution, type SharedResolution } from '../../../src/pack/indexer/shared-resolution.ts'
import { scanParts } from '../../../src/pack/indexer/shared-scan.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { packRevisions, streamRevisions, type GitPack } from '../git-packs.ts'
import { rawPack, resealed } from '../raw-entries.ts'
import { change, mutate } from './mutations.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)
let repository: string
let stored: GitPack
let thin: Uint8Array
let bases: ReadonlyMap<string, { readonly type: 1 | 2 | 3 | 4; readonly body: Uint8Array }>

beforeAll(async () => {
  repository = await createHistory('source-like', scratch.fresh('a.git'))
  stored = await packRevisions(repository, scratch.path, ['--delta-base-offset', '--no-reuse-delta'])
  thin = await streamRevisions(
    repository,
    ['--thin', '--delta-base-offset', '--no-reuse-delta'],
    ['HEAD', '^HEAD~20'],
  )
  const objects = new Map<string, { readonly type: 1 | 2 | 3 | 4; readonly body: Uint8Array }>()
  await indexPack(stored.pack, {
    format,
    codecs,
    visit: (type, body, id) => objects.set(Buffer.from(id).toString('hex'), { type, body: body.slice() }),
  })
  bases = objects
})

const together = { scanTogether, resolveTogether }

interface Standins {
  readonly count: number
  readonly partBytes?: number
  /** Which of the parts that are free they leave to the one that asks. */
  readonly leaves?: (part: number) => boolean
}

/** Stands for so many threads that get all their work done before the one that asks does any, taking trees in turn. */
function standins(
  { count, partBytes = 300, leaves = () => false }: Standins,
  taken: number[] = [],
): IndexerThreads {
  return {
    ...together,
    partBytes,
    scan: (shared) => {
      const free = structuredClone(shared)
      const mine = Int32Array.from(shared.taken, (_, part) => Number(leaves(part)))
      const parts = scanParts({ ...free, taken: mine }, codecs)
      for (let part = 1; part < mine.length; part++) if (!leaves(part)) shared.taken[part] = 1
      return Promise.resolve(parts)
    },
    resolve: (shared) => {
      const shares = Array.from(
        { length: count },
        () => new ShareOfResolution(structuredClone(shared), codecs),
      )
      try {
        for (let at = 0; !shares[at % count]!.resolve(at % 3); at++);
      } catch {
        return Promise.resolve(false)
      }
      taken.push(...shares.map(({ resolvedCount }) => resolvedCount))
      return Promise.resolve(true)
    },
  }
}

/** What came of it, to be compared: everything, or the error. */
async function outcome(pack: Uint8Array, options: Partial<IndexPackOptions> = {}): Promise<unknown> {
  try {
    const { pieces, index, reachability, deltaCount, addedCount } = await indexPack(pack, {
      format,
      codecs,
      ...options,
    })
    const files = [Buffer.concat(pieces), index, reachability ?? ''].map((bytes) => hash('sha1', bytes))
    return { files, deltaCount, addedCount }
  } catch (error) {
    return String(error)
  }
}

test('several threads give the index that one gives, and git', async () => {
  for (const count of [1, 2, 5]) {
    const taken: number[] = []
    const threads = standins({ count }, taken)
    const { index, deltaCount } = await indexPack(stored.pack, { format, codecs, threads })
    expect(Buffer.compare(index, stored.index)).toBe(0)
    expect(taken.every((resolved) => resolved > 0)).toBe(true)
    expect(taken.reduce((sum, resolved) => sum + resolved, 0)).toBe(deltaCount)
  }
})

test('parts of any size give the same, whoever reads them', async () => {
  const alone = await outcome(stored.pack, { reachability: true })
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 99, max: 20_000 }),
      fc.integer({ min: 1, max: 5 }),
      async (partBytes, k) => {
        const threads = standins({ count: 2, partBytes, leaves: (part) => part % k === 1 })
        expect(await outcome(stored.pack, { reachability: true, threads })).toEqual(alone)
      },
    ),
    { numRuns: 12 },
  )
})

test('who wants no blobs sees everything else in the order of one thread', async () => {
  const seen = async (threads?: IndexerThreads): Promise<string[]> => {
    const ids: string[] = []
    const visit: IndexPackOptions['visit'] = (type, body, id) => {
      expect(Buffer.compare(hashObject(type, body, format), id)).toBe(0)
      expect(type).not.toBe(BLOB)
      ids.push(Buffer.from(id).toString('hex'))
    }
    const helped = threads === undefined ? {} : { threads }
    await indexPack(stored.pack, { format, codecs, visit, visitBlobs: false, ...helped })
    return ids
  }
  const taken: number[] = []
  expect(await seen(standins({ count: 2 }, taken))).toEqual(await seen())
  expect(taken.every((resolved) => resolved > 0)).toBe(true)
})

test('who wants to see everything does', async () => {
  const ids = new Set<string>()
  const visit: IndexPackOptions['visit'] = (_type, _body, id) => ids.add(Buffer.from(id).toString('hex'))
  const { objectCount } = await indexPack(stored.pack, {
    format,
    codecs,
    visit,
    threads: standins({ count: 2 }),
  })
  expect(ids.size).toBe(objectCount)
})

test('a thin pack is completed as one thread completes it', async () => {
  const readBases: IndexPackOptions['readBases'] = (ids) =>
    Promise.resolve(ids.map((id) => bases.get(Buffer.from(id).toString('hex')) ?? null))
  const alone = await outcome(thin, { readBases, reachability: true })
  expect(alone).toMatchObject({ addedCount: expect.toSatisfy((count) => count > 0) as unknown })
  const threads = standins({ count: 3 })
  expect(await outcome(thin, { readBases, reachability: true, threads })).toEqual(alone)
  expect(await outcome(thin, { threads })).toMatch(/unresolved delta/)
})

test('a delta that names a resolved delta by its id is resolved', async () => {
  const [first, second, third] = ['one', 'two', 'six'].map((word) => Buffer.from(`${word} `.repeat(9)))
  const asDelta = (base: Uint8Array, result: Uint8Array): Buffer =>
    Buffer.concat([Buffer.of(base.length, result.length, result.length), result])
  const pack = rawPack([
    { type: 'blob', body: first! },
    {
      type: 'ref-delta',
      baseId: Buffer.from(hashObject(BLOB, second!, format)).toString('hex'),
      body: asDelta(second!, third!),
    },
    { type: 'ofs-delta', base: 0, body: asDelta(first!, second!) },
  ])
  const alone = await outcome(pack)
  expect(alone).toMatchObject({ deltaCount: 2 })
  expect(await outcome(pack, { threads: standins({ count: 1, partBytes: 30 }) })).toEqual(alone)
})

test('a pack inside of an object is not taken for a part of the pack', async () => {
  const inner = { type: 'blob', body: stored.pack, stream: deflateSync(stored.pack, { level: 0 }) } as const
  const pack = rawPack([
    { type: 'blob', body: Buffer.from('before') },
    inner,
    { type: 'blob', body: inner.body.subarray(9) },
  ])
  const alone = await outcome(pack)
  expect(typeof alone).toBe('object')
  expect(await outcome(pack, { threads: standins({ count: 1 }) })).toEqual(alone)
})

test('a thread that fails changes nothing', async () => {
  const threads: IndexerThreads = {
    ...together,
    scan: () => Promise.resolve([]),
    resolve: (shared) => {
      new ShareOfResolution(shared, codecs).resolve(1)
      return Promise.resolve(false)
    },
  }
  for (const reachability of [true, false]) {
    const alone = await outcome(stored.pack, { reachability })
    expect(await outcome(stored.pack, { reachability, threads })).toEqual(alone)
  }
})

test('a thread that is gone is an error, and nothing else is', async () => {
  const gone = Promise.reject(new Error('gone'))
  const threads: IndexerThreads = { ...together, partBytes: 300, scan: () => gone, resolve: () => gone }
  expect(await outcome(stored.pack, { threads })).toEqual(await outcome(stored.pack))
  const takes: IndexerThreads = {
    ...threads,
    scan: (shared) => {
      shared.taken[1] = 1
      return gone
    },
  }
  expect(await outcome(stored.pack, { threads: takes })).toBe('Error: gone')
})

test('a damaged pack is refused in the words that one thread finds', async () => {
  const small = await packRevisions(
    repository,
    scratch.path,
    ['--delta-base-offset', '--no-reuse-delta'],
    ['HEAD~30'],
  )
  let refused = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 2 }),
      fc.integer({ min: 40, max: 4000 }),
      fc.boolean(),
      async (changes, partBytes, reachability) => {
        const damaged = resealed(mutate(small.pack, changes))
        const alone = await outcome(damaged, { reachability })
        expect(await outcome(damaged, { reachability, threads: standins({ count: 2, partBytes }) })).toEqual(
          alone,
        )
        if (typeof alone === 'string') refused++
      },
    ),
    { numRuns: 70 },
  )
  expect(refused).toBeGreaterThan(30)
})

test('trees with more work are taken first', async () => {
  let roots: Int32Array | undefined
  const threads: IndexerThreads = {
    ...together,
    scan: () => Promise.resolve([]),
    resolve: (shared: SharedResolution) => {
      roots = shared.roots.slice()
      return Promise.resolve(true)
    },
  }
  const share = await indexPack(stored.pack, { format, codecs, threads })
  expect(Buffer.compare(share.index, stored.index)).toBe(0)
  expect(roots?.length).toBeGreaterThan(10)
  expect(new Set(roots).size).toBe(roots?.length)
})
