import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes } from '../../../src/bytes/compare.ts'
import { encodeHex } from '../../../src/bytes/hex.ts'
import { applyDelta } from '../../../src/delta/apply-delta.ts'
import { DeltaHeader } from '../../../src/delta/delta-header.ts'
import { GitError } from '../../../src/errors.ts'
import { cutSegments } from '../../../src/pack/delta-search/search-segments.ts'
import { gitError } from '../../support/git-error.ts'
import {
  codecs,
  imitateThreads,
  makeObjects,
  search,
  type Found,
  type SearchedObjects,
} from './searched-objects.ts'

const sizes = {
  seed: fc.nat(1_000_000),
  files: fc.integer({ min: 1, max: 12 }),
  versions: fc.integer({ min: 1, max: 25 }),
  segmentBytes: fc.integer({ min: 1, max: 20_000 }),
  window: fc.integer({ min: 1, max: 12 }),
  depth: fc.integer({ min: 1, max: 12 }),
}

/** The object that an entry makes. */
function restored({ bodies }: SearchedObjects, found: Found, ordinal: number): Uint8Array {
  const base = found.bases[ordinal]!
  const inflated = codecs.inflate.inflate(found.entries[ordinal] ?? new Uint8Array(0), 1 << 24)
  if (base < 0) return inflated
  expect(inflated.length).toBe(found.deltaSizes[ordinal])
  const header = new DeltaHeader()
  header.parse(inflated, 0, inflated.length)
  const { baseSize, resultSize, at } = header
  expect(baseSize).toBe(bodies[base]!.length)
  const made = new Uint8Array(resultSize)
  applyDelta(inflated, at, inflated.length, bodies[base]!, 0, baseSize, made, 0, resultSize)
  return made
}

/** Everything that was found, for comparing: texts are compared faster than structures. */
function textOf({ bases, deltaSizes, entries }: Found): string {
  return [bases.join(), deltaSizes.join(), ...entries.map((entry) => entry && encodeHex(entry))].join('\n')
}

test('any number of threads finds what one finds, whatever the segments and loads', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        ...sizes,
        windowMemory: fc.integer({ min: 1, max: 60_000 }),
        loadBytes: fc.integer({ min: 1, max: 8000 }),
        threadMemory: fc.constantFrom(0, 100_000, 1 << 28),
        trustPacks: fc.boolean(),
        copyWhole: fc.boolean(),
      }),
      async ({ seed, files, versions, segmentBytes, ...options }) => {
        const objects = makeObjects(seed, files, versions)
        const cut = { ...options, segmentEnds: cutSegments(objects, objects.order, segmentBytes) }
        const alone = await search(objects, cut)
        for (const count of [1, 2, 4]) {
          const together = await search(objects, { ...cut, threads: imitateThreads(count) })
          expect(textOf(together) === textOf(alone)).toBe(true)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('every entry makes its object, and no chain is too long', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(sizes), async ({ seed, files, versions, segmentBytes, window, depth }) => {
      const objects = makeObjects(seed, files, versions)
      const segmentEnds = cutSegments(objects, objects.order, segmentBytes)
      const found = await search(objects, { window, depth, segmentEnds, threads: imitateThreads(3) })
      for (const ordinal of objects.order) {
        expect(compareBytes(restored(objects, found, ordinal), objects.bodies[ordinal]!)).toBe(0)
        let length = objects.depthAbove[ordinal]!
        for (let at = found.bases[ordinal]!; at >= 0; at = found.bases[at]!) length++
        if (found.bases[ordinal]! >= 0) expect(length).toBeLessThanOrEqual(depth)
      }
    }),
    { numRuns: 40 },
  )
})

test('segments are cut where the path changes, or where there is none', () => {
  fc.assert(
    fc.property(fc.record(sizes), ({ seed, files, versions, segmentBytes }) => {
      const objects = makeObjects(seed, files, versions)
      const { order, pathHashes, types } = objects
      const ends = cutSegments(objects, order, segmentBytes)
      expect(ends.at(-1)).toBe(order.length)
      let start = 0
      for (const end of ends.slice(0, -1)) {
        const bytes = order.subarray(start, end).reduce((sum, ordinal) => sum + objects.sizes[ordinal]!, 0)
        expect(bytes).toBeGreaterThanOrEqual(segmentBytes)
        const [before, behind] = [order[end - 1]!, order[end]!]
        const isSamePath = pathHashes[before] === pathHashes[behind] && types[before] === types[behind]
        expect(isSamePath && pathHashes[behind] !== 0).toBe(false)
        start = end
      }
    }),
  )
})

const many = makeObjects(1, 40, 20)
const manySegments = { segmentEnds: cutSegments(many, many.order, 4000), loadBytes: 3000 }

test('threads are given loads, as far as their memory goes', async () => {
  const threads = imitateThreads(3)
  await search(many, { ...manySegments, threads })
  expect(threads.loads).toBeGreaterThan(10)
  const without = imitateThreads(3)
  await search(many, { ...manySegments, threads: without, threadMemory: 10_000 })
  expect(without.loads).toBe(0)
})

test('what a thread fails with ends the search, and no segment stays open', async () => {
  const threads = imitateThreads(3, (load) => {
    if (load === 3) throw new GitError('STORAGE', 'a thread has ended')
  })
  await expect(search(many, { ...manySegments, threads })).rejects.toThrow(gitError('STORAGE', 'has ended'))
  expect(threads.openSegments).toBe(0)
})

test('an aborted search ends with its reason when no thread works for it any more', async () => {
  const controller = new AbortController()
  let waiting = 0
  const threads = imitateThreads(3, (load) => {
    waiting = load
    if (load === 2) controller.abort(new Error('enough'))
  })
  await expect(search(many, { ...manySegments, threads, signal: controller.signal })).rejects.toThrow(
    'enough',
  )
  expect(threads.openSegments).toBe(0)
  const atTheEnd = waiting
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(waiting).toBe(atTheEnd)
})

test('an object of another size than was said is refused', async () => {
  const threads = imitateThreads(2)
  const changed = { ...many, sizes: many.sizes.map((size) => size + 1) }
  await expect(search(changed, { ...manySegments, threads })).rejects.toThrow(gitError('CORRUPT_OBJECT'))
})
