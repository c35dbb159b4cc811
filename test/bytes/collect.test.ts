import fc from 'fast-check'
import { expect, test } from 'vitest'
import { collectBytes } from '../../src/bytes/collect.ts'
import { compareBytes, compareRanges, equalBytes } from '../../src/bytes/compare.ts'
import { concatBytes } from '../../src/bytes/concat.ts'

async function* stream(chunks: readonly Uint8Array[], onEnd?: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (const chunk of chunks) {
      await Promise.resolve()
      yield chunk
    }
  } finally {
    onEnd?.()
  }
}

const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 })

test('collects every byte, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, async (pieces) => {
      const whole = Buffer.concat(pieces)
      const totals: number[] = []
      const collected = await collectBytes(stream(pieces), whole.length, (total) => totals.push(total))
      expect(Buffer.from(collected).equals(whole)).toBe(true)
      expect(totals.at(-1) ?? 0).toBe(whole.length)
      expect(Buffer.from(concatBytes(pieces)).equals(whole)).toBe(true)
    }),
  )
})

test('stops the source at the first byte over the limit', async () => {
  let ended = false
  let taken = 0
  const source = stream([new Uint8Array(6), new Uint8Array(5), new Uint8Array(1000)], () => (ended = true))
  const collecting = collectBytes(source, 10, (total) => (taken = total))
  await expect(collecting).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { maximum: 10 } })
  expect(taken).toBe(6)
  expect(ended).toBe(true)
})

test('exactly the limit is allowed', async () => {
  await expect(collectBytes(stream([new Uint8Array(4), new Uint8Array(6)]), 10)).resolves.toHaveLength(10)
})

test('passes on what the source throws', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1)
    await Promise.reject(new Error('peer went away'))
  }
  await expect(collectBytes(failing(), 10)).rejects.toThrow('peer went away')
})

test('compares as memcmp does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 2, maxLength: 5 }), fc.uint8Array({ max: 2, maxLength: 5 }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
      const length = Math.min(a.length, b.length)
      const ranges = compareRanges(a, 0, b, 0, length)
      expect(Math.sign(ranges)).toBe(Buffer.compare(a.subarray(0, length), b.subarray(0, length)))
    }),
  )
})
