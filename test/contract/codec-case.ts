import { equalBytes } from '../../src/bytes/compare.ts'
import type { Codecs } from '../../src/codec/ports.ts'
import { type GitErrorCode, isGitError } from '../../src/errors.ts'

/** One promise that a provider of codecs keeps. `run` throws an Error when it does not. */
export interface CodecCase {
  readonly name: string
  readonly run: (codecs: Codecs) => void
}

/** Throws unless the two values are the same. */
export function assertSame<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what}: got ${String(actual)}, expected ${String(expected)}`)
}

/** Throws unless the two arrays hold the same bytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (equalBytes(actual, expected)) return
  const at = expected.findIndex((byte, index) => byte !== actual[index])
  throw new Error(
    `${what}: ${actual.length} bytes, expected ${expected.length}; the first difference is at ${at}`,
  )
}

/** Throws unless `body` throws a GitError of the given code. */
export function assertThrows(code: GitErrorCode, body: () => unknown, what: string): void {
  let outcome = 'returned'
  try {
    const value = body()
    outcome = `returned ${String(value)}`
  } catch (error) {
    if (isGitError(error, code)) return
    outcome = `threw ${String(error)}`
  }
  throw new Error(`${what}: expected ${code}, but it ${outcome}`)
}

/** Deterministic bytes without pattern. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed | 0 || 1
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state >>> 11
  }
  return bytes
}

/** Deterministic bytes that look like text: few values, many repeats, near and far. */
export function prose(length: number, seed = 1): Uint8Array {
  const random = noise(length, seed)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length;) {
    const kind = random[at]! & 7
    const back = 1 + ((random[(at + 1) % length]! << 7) | (random[(at + 2) % length]! >> 1))
    if (kind < 3 && back <= at) {
      const count = 3 + (random[(at + 3) % length]! >> 2)
      for (let left = count; left > 0 && at < length; left--, at++) bytes[at] = bytes[at - back]!
    } else {
      bytes[at] = 97 + (random[at]! >> 4)
      at++
    }
  }
  return bytes
}
