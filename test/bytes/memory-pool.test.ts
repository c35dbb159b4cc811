import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MemoryPool, type Reservation } from '../../src/bytes/memory-pool.ts'

/** Lets everything that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await Promise.resolve()
}

describe('a memory pool', () => {
  test('gives what is free at once, and never more than there is', async () => {
    const pool = new MemoryPool(100)
    const first = await pool.reserve(60)
    expect([first.bytes, pool.free]).toEqual([60, 40])
    first.release()
    const all = await pool.reserve(1000)
    expect([all.bytes, pool.free]).toEqual([100, 0])
  })

  test('lets those who ask for more wait in the order of asking, also those who would fit', async () => {
    const pool = new MemoryPool(100)
    const first = await pool.reserve(80)
    const served: string[] = []
    const large = pool.reserve(50).then((held) => {
      served.push('large')
      return held
    })
    const small = pool.reserve(10).then((held) => {
      served.push('small')
      return held
    })
    await settle()
    expect(served).toEqual([])
    expect(first.tryGrow(90)).toBe(false)
    first.shrink(40)
    const held = await Promise.all([large, small])
    expect(served).toEqual(['large', 'small'])
    expect(held.map(({ bytes }) => bytes)).toEqual([50, 10])
    expect(pool.free).toBe(0)
  })

  test('forgets who gives up, and goes on with the next', async () => {
    const pool = new MemoryPool(100)
    const first = await pool.reserve(95)
    const abort = new AbortController()
    const given = pool.reserve(50, abort.signal)
    const next = pool.reserve(5)
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    expect((await next).bytes).toBe(5)
    expect(pool.free).toBe(0)
    first.release()
    first.release()
    expect(pool.free).toBe(95)
    await expect(pool.reserve(1, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
  })

  test('grows what somebody holds while nobody waits', async () => {
    const pool = new MemoryPool(100)
    const held = await pool.reserve(20)
    expect(held.tryGrow(10)).toBe(true)
    expect(held.tryGrow(100)).toBe(true)
    expect([held.bytes, pool.free]).toEqual([100, 0])
    expect(held.tryGrow(101)).toBe(false)
    held.shrink(30)
    expect([held.bytes, pool.free]).toEqual([30, 70])
  })

  test('has given out exactly what is held, whatever its users do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4), fc.nat(120), fc.nat(9)), { maxLength: 60 }),
        async (steps) => {
          const pool = new MemoryPool(100)
          const held: Reservation[] = []
          for (const [what, bytes, who] of steps) {
            const one = held[who % Math.max(1, held.length)]
            if (what <= 1) void pool.reserve(bytes).then((got) => held.push(got))
            else if (what === 2) one?.tryGrow(bytes)
            else if (what === 3) one?.shrink(bytes)
            else one?.release()
            await settle()
            const sum = held.reduce((total, { bytes: own }) => total + own, 0)
            expect(pool.free).toBe(100 - sum)
            expect(pool.free).toBeGreaterThanOrEqual(0)
          }
          // Everybody is served in the end.
          for (let at = 0; at < held.length; at++) {
            held[at]?.release()
            await settle()
          }
          expect(pool.free).toBe(100)
        },
      ),
      { numRuns: 100 },
    )
  })
})
