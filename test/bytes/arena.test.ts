import { expect, test } from 'vitest'
import { Arena } from '../../src/bytes/arena.ts'

test('reserved ranges lie side by side and keep their content while the arena grows', () => {
  const arena = new Arena(1)
  const ranges: { at: number; size: number }[] = []
  for (let size = 0; size < 300; size++) {
    const at = arena.reserve(size)
    arena.bytes.fill(size & 0xff, at, at + size)
    ranges.push({ at, size })
  }
  let end = 0
  for (const { at, size } of ranges) {
    expect(at).toBe(end)
    end = at + size
    expect(arena.bytes.subarray(at, end).every((byte) => byte === (size & 0xff))).toBe(true)
  }
  expect(arena.length).toBe(end)
})

test('ensure makes room, keeps content and does not count as use', () => {
  const arena = new Arena(4)
  arena.bytes.set([1, 2, 3, 4])
  arena.ensure(100_000)
  expect(arena.bytes.length).toBeGreaterThanOrEqual(100_000)
  expect([...arena.bytes.subarray(0, 6)]).toEqual([1, 2, 3, 4, 0, 0])
  expect(arena.length).toBe(0)
  const before = arena.bytes
  arena.ensure(100_000)
  expect(arena.bytes).toBe(before)
})

test('an arena of no capacity grows', () => {
  const arena = new Arena(0)
  expect(arena.reserve(10)).toBe(0)
  expect(arena.bytes.length).toBeGreaterThanOrEqual(10)
})
