import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyDelta } from '../../src/delta/apply-delta.ts'
import { DeltaComposer } from '../../src/delta/compose-deltas.ts'
import { DeltaHeader } from '../../src/delta/delta-header.ts'
import { createRandom } from '../support/random.ts'
import { encodeDelta, evaluate, randomInstructions } from './naive-delta.ts'

const MOST = 1 << 30

/** One delta after the other; `undefined` when one of them is malformed. */
function applyEach(base: Uint8Array, deltas: readonly Uint8Array[]): Uint8Array | undefined {
  const header = new DeltaHeader()
  let version = base
  try {
    for (const delta of [...deltas].reverse()) {
      header.parse(delta, 0, delta.length)
      if (header.baseSize !== version.length) return undefined
      const out = new Uint8Array(header.resultSize)
      applyDelta(delta, header.at, delta.length, version, 0, version.length, out, 0, out.length)
      version = out
    }
    return version
  } catch {
    return undefined
  }
}

/** A chain of random deltas, the last first, and what it comes to by the naive definition. */
function randomChain(
  seed: number,
  baseSize: number,
  length: number,
): { base: Uint8Array; deltas: Uint8Array[]; expected: Uint8Array } {
  const random = createRandom(seed)
  const base = random.bytes(baseSize)
  const deltas: Uint8Array[] = []
  let expected: Uint8Array = base
  for (let k = 0; k < length; k++) {
    const instructions = randomInstructions(random, expected.length, 1 + random.below(12))
    deltas.unshift(encodeDelta(expected, instructions))
    expected = evaluate(expected, instructions)
  }
  return { base, deltas, expected }
}

describe('composed deltas', () => {
  const composer = new DeltaComposer()

  test('make what they make one after the other, and what the instructions say', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(3000), fc.integer({ min: 0, max: 9 }), (seed, baseSize, length) => {
        const { base, deltas, expected } = randomChain(seed, baseSize, length)
        fc.pre(expected.length < 1 << 20)
        const each = applyEach(base, deltas)
        expect(Buffer.compare(each ?? new Uint8Array(1), expected)).toBe(0)
        // Too many small segments are left to the other way.
        const composed = composer.tryApply(base, deltas, MOST) ?? each
        expect(Buffer.compare(composed ?? new Uint8Array(1), expected)).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  test('make the last version of a long history of small edits', () => {
    const random = createRandom(5)
    const base = random.bytes(100_000)
    const deltas: Uint8Array[] = []
    let version = base
    for (let k = 0; k < 60; k++) {
      const at = random.below(version.length - 200)
      const instructions = [
        { kind: 'copy', offset: 0, size: at },
        { kind: 'insert', bytes: random.bytes(1 + random.below(90)) },
        { kind: 'copy', offset: at + random.below(100), size: version.length - at - 100 },
      ] as const
      deltas.unshift(encodeDelta(version, instructions))
      version = evaluate(version, instructions)
    }
    const composed = composer.tryApply(base, deltas, MOST)
    expect(composed === undefined ? -1 : Buffer.compare(composed, version)).toBe(0)
  })

  test('that are damaged anywhere make what they make one after the other, or nothing', () => {
    let refused = 0
    fc.assert(
      fc.property(fc.integer(), fc.nat(), fc.integer({ min: 1, max: 255 }), (seed, place, flip) => {
        const { base, deltas } = randomChain(seed, 500, 4)
        const at = place % deltas.length
        const damaged = Uint8Array.from(deltas[at] ?? [0])
        const byte = place % damaged.length
        damaged[byte] = (damaged[byte] ?? 0) ^ flip
        deltas[at] = damaged
        const each = applyEach(base, deltas)
        const composed = composer.tryApply(base, deltas, 1 << 20)
        if (each === undefined) refused++
        if (each === undefined) expect(composed).toBeUndefined()
        else if (composed !== undefined) expect(Buffer.compare(composed, each)).toBe(0)
      }),
      { numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  test('are left to the other way when they are many small pieces, or too large', () => {
    const base = createRandom(6).bytes(40_000)
    const pieces = Array.from({ length: 20_000 }, (_, k) => ({
      kind: 'copy' as const,
      offset: 39_998 - 2 * k,
      size: 1,
    }))
    const whole = [{ kind: 'copy' as const, offset: 0, size: 20_000 }]
    const deltas = [encodeDelta(new Uint8Array(20_000), whole), encodeDelta(base, pieces)]
    expect(applyEach(base, deltas)?.length).toBe(20_000)
    expect(composer.tryApply(base, deltas, MOST)).toBeUndefined()
    expect(composer.tryApply(base, [encodeDelta(base, whole)], 19_999)).toBeUndefined()
  })
})
