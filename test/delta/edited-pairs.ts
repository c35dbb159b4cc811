import { randomLines } from '../support/random.ts'
import type { Random } from '../support/random.ts'

/** A base and something made from it. */
export interface Pair {
  readonly base: Uint8Array
  readonly target: Uint8Array
}

const text = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.join('\n') + '\n')

/** Text with lines changed, moved, added and deleted. */
export function editedText(random: Random): Pair {
  const lines = randomLines(random, 1 + random.below(200))
  const base = text(lines)
  for (let edits = random.below(8); edits > 0; edits--) {
    const at = random.below(lines.length + 1)
    const count = random.below(5)
    if (random.chance(0.3)) lines.splice(at, count)
    else if (random.chance(0.5)) lines.splice(at, count, ...randomLines(random, random.below(5)))
    else lines.splice(random.below(lines.length + 1), 0, ...lines.splice(at, count))
  }
  return { base, target: text(lines) }
}

/** Bytes with single ones changed, which leaves runs of all lengths. */
export function editedBytes(random: Random): Pair {
  const base = random.bytes(random.below(600))
  const target = base.slice()
  for (let edits = random.below(30); edits > 0 && target.length > 0; edits--) {
    target[random.below(target.length)] = random.below(256)
  }
  return { base, target }
}

/** Repetitions of short patterns, with breaks: every block looks like many others. */
export function repetitive(random: Random): Pair {
  const pattern = random.bytes(1 + random.below(random.pick([2, 20, 40])))
  const make = (): Uint8Array => {
    const bytes = new Uint8Array(random.below(5000))
    for (let at = 0; at < bytes.length; at++) bytes[at] = pattern[at % pattern.length] ?? 0
    for (let breaks = random.below(4); breaks > 0 && bytes.length > 0; breaks--) {
      bytes[random.below(bytes.length)] = random.below(256)
    }
    return bytes
  }
  return { base: make(), target: make() }
}

/** Two that have nothing in common, or are empty, or the same. */
export function unrelated(random: Random): Pair {
  const base = random.bytes(random.pick([0, 1, 15, 16, 17, 300]))
  return {
    base,
    target: random.chance(0.2) ? base.slice() : random.bytes(random.pick([0, 1, 15, 16, 17, 300])),
  }
}

/** Long runs that are in both, across the limit of what one copy takes, at offsets of one to three bytes. */
export function longRuns(random: Random): Pair {
  const base = random.bytes(200_000 + random.below(100_000))
  const pieces = Array.from({ length: 1 + random.below(4) }, () => {
    const at = random.below(base.length)
    return random.chance(0.3)
      ? random.bytes(random.below(400))
      : base.subarray(at, at + random.pick([16, 0xffff, 0x10000, 0x10001, 0x20000]))
  })
  return { base, target: new Uint8Array(Buffer.concat(pieces)) }
}
