import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyDelta } from '../../src/delta/apply-delta.ts'
import { applyDeltaInPieces } from '../../src/delta/apply-in-pieces.ts'
import { GitError } from '../../src/errors.ts'
import { createRandom } from '../support/random.ts'
import { encodeInstructions, evaluate, randomInstructions } from './naive-delta.ts'

/** The result, or the message of the error that it ends with. */
function outcome(apply: () => Uint8Array): string {
  try {
    return Buffer.from(apply()).toString('latin1')
  } catch (error) {
    if (error instanceof GitError) return `${error.code}: ${error.message}`
    throw error
  }
}

function applyWhole(delta: Uint8Array, base: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size)
  applyDelta(delta, 3, delta.length - 3, base, 5, base.length - 10, out, 0, size)
  return out
}

function applyPieces(delta: Uint8Array, base: Uint8Array, size: number): Uint8Array {
  const pieces: Buffer[] = []
  applyDeltaInPieces(delta, 3, delta.length - 3, base, 5, base.length - 10, size, (piece) => {
    expect(piece.length).toBeLessThanOrEqual(1 << 16)
    pieces.push(Buffer.from(piece))
  })
  return Buffer.concat(pieces)
}

test('in pieces comes out what comes out at once, of damaged deltas too', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.nat(70_000),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      (seed, baseSize, count, isDamaged) => {
        const random = createRandom(seed)
        const instructions = randomInstructions(random, baseSize, count)
        const body = random.bytes(baseSize)
        const base = Buffer.concat([random.bytes(5), body, random.bytes(5)])
        const delta = Buffer.concat([random.bytes(3), encodeInstructions(instructions), random.bytes(3)])
        if (isDamaged && delta.length > 6) delta[3 + random.below(delta.length - 6)] = random.below(256)
        const { length } = evaluate(body, instructions)
        expect(outcome(() => applyPieces(delta, base, length))).toBe(
          outcome(() => applyWhole(delta, base, length)),
        )
      },
    ),
    { numRuns: 200 },
  )
})
