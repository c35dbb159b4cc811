import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedLru } from '../../src/bytes/shared-lru.ts'
import { CachedFile } from '../../src/odb/cached-file.ts'
import { gitError } from '../support/git-error.ts'
import { createRandom } from '../support/random.ts'
import { FakeFile } from './fake-file.ts'

const MIB = 1 << 20
const content = createRandom(8).bytes(9 * MIB + 12_345)

function open(
  size: number,
  cacheBytes: number,
): { fake: FakeFile; cached: CachedFile; cache: SharedLru<Uint8Array> } {
  const fake = new FakeFile(content.subarray(0, size))
  const cache = new SharedLru<Uint8Array>(cacheBytes)
  return { fake, cached: new CachedFile(size, fake.open, cache), cache }
}

/** Reads a range as a loop does; fails when it takes more rounds than any reason could give. */
async function read(cached: CachedFile, offset: number, length: number, rounds = 3): Promise<Uint8Array> {
  for (let round = 0; !cached.tryWindow(offset, length); round++) {
    expect(cached.wanting).toBe(true)
    expect(round).toBeLessThan(rounds)
    await cached.settle()
  }
  return cached.window.subarray(cached.windowAt, cached.windowAt + length)
}

function expectRange(found: Uint8Array, offset: number, length: number): void {
  expect(Buffer.compare(found, content.subarray(offset, offset + length))).toBe(0)
}

const CACHES = [0, 100, 20_000, 64 << 10, MIB, 5 * MIB, 16 * MIB, 64 * MIB]
const SIZES = [1, 100, 4096, 70_000, MIB, 4 * MIB, 4 * MIB + 1, content.length]

describe('CachedFile', () => {
  test.each(CACHES)('reads any range of any file, with a cache of %i bytes', async (cacheBytes) => {
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const length = fc.oneof(
      fc.nat(300),
      fc.nat(100_000),
      fc.integer({ min: MIB - 2, max: MIB + 2 }),
      fc.nat(6 * MIB),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SIZES),
        fc.array(fc.tuple(fraction, length), { maxLength: 8 }),
        async (size, wishes) => {
          const { cached, cache, fake } = open(size, cacheBytes)
          const ranges = wishes.map(([where, most]) => {
            const offset = Math.floor(where * size)
            return { offset, length: Math.min(most, size - offset) }
          })
          for (const { offset, length } of ranges) {
            expectRange(await read(cached, offset, length), offset, length)
            expect(cache.bytes).toBeLessThanOrEqual(cacheBytes)
          }
          // All at once: one settle serves every wish that fits, and nobody waits for ever.
          let waiting = ranges
          for (let round = 0; waiting.length > 0; round++) {
            expect(round).toBeLessThan(40)
            waiting = waiting.filter(({ offset, length }) => {
              if (!cached.tryWindow(offset, length)) return true
              expectRange(cached.window.subarray(cached.windowAt, cached.windowAt + length), offset, length)
              return false
            })
            await cached.settle()
          }
          expect(fake.opened).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('cuts a range at the end of the file', async () => {
    const { cached } = open(MIB, 16 * MIB)
    await read(cached, MIB - 10, 42)
    expectRange(cached.window.subarray(cached.windowAt), MIB - 10, 10)
  })

  test('opens nothing before something is wanted, and reads nothing twice', async () => {
    const { cached, fake } = open(content.length, 64 * MIB)
    expect(cached.wanting).toBe(false)
    await cached.settle()
    expect(fake.opened).toBe(0)
    for (let round = 0; round < 3; round++) await read(cached, 3 * MIB - 5, 10)
    expect(fake.opened).toBe(1)
    expect(fake.reads).toHaveLength(1)
    expect(cached.wanting).toBe(false)
  })

  test('reads what is wanted in one call, neighbours as one range', async () => {
    const { cached, fake } = open(content.length, 64 * MIB)
    for (const offset of [7 * MIB, 5, 2 * MIB + 1, MIB, MIB + 7])
      expect(cached.tryWindow(offset, 10)).toBe(false)
    await cached.settle()
    expect(fake.reads).toEqual([
      [
        { offset: 0, length: 3 * MIB },
        { offset: 7 * MIB, length: MIB },
      ],
    ])
    expect(cached.tryWindow(MIB, 10)).toBe(true)
    await read(cached, content.length - 1, 1)
    expect(fake.reads[1]).toEqual([{ offset: 9 * MIB, length: 12_345 }])
  })

  test('reads a small file whole', async () => {
    const { cached, fake } = open(70_000, 16 * MIB)
    expectRange(await read(cached, 100, 5), 100, 5)
    expectRange(await read(cached, 69_000, 1000), 69_000, 1000)
    expect(fake.reads).toEqual([[{ offset: 0, length: 70_000 }]])
  })

  test('gives a range too large for the cache once, without keeping it', async () => {
    const { cached, cache, fake } = open(content.length, 8 * MIB)
    expectRange(await read(cached, 10, 5 * MIB), 10, 5 * MIB)
    expect(cache.bytes).toBe(0)
    expect(fake.reads).toEqual([[{ offset: 10, length: 5 * MIB }]])
    expect(cached.tryWindow(10, 5 * MIB)).toBe(false)
  })

  test('a short and a long wish from one place are both answered', async () => {
    const { cached } = open(content.length, 100)
    for (const [first, second] of [
      [42, 3 * MIB],
      [3 * MIB, 42],
    ] as const) {
      const waiting = new Set([first, second])
      for (let round = 0; waiting.size > 0; round++) {
        expect(round).toBeLessThan(5)
        for (const length of waiting) if (cached.tryWindow(77, length)) waiting.delete(length)
        await cached.settle()
      }
    }
  })

  test('says NOT_FOUND when the file is gone, and tries anew afterwards', async () => {
    const { cached, fake } = open(MIB, 16 * MIB)
    fake.gone = true
    cached.tryWindow(0, 10)
    await expect(cached.settle()).rejects.toThrow(gitError('NOT_FOUND'))
    await expect(cached.file()).rejects.toThrow(gitError('NOT_FOUND'))
    fake.gone = false
    expectRange(await read(cached, 0, 10), 0, 10)
  })

  test('close closes the file once and gives its memory back; other files keep theirs', async () => {
    const { cached, cache, fake } = open(MIB, 16 * MIB)
    const other = new CachedFile(100, new FakeFile(content.subarray(0, 100)).open, cache)
    await read(cached, 0, 10)
    await read(other, 0, 10)
    await cached.close()
    await cached.close()
    expect(fake.closed).toBe(1)
    expect(cache.bytes).toBe(100)
    const unopened = open(MIB, 16 * MIB)
    await unopened.cached.close()
    expect(unopened.fake.opened).toBe(0)
  })
})
