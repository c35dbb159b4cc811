/** A seeded source of random numbers: the same seed gives the same history on every machine. */
export interface Random {
  /** An integer in `[0, limit)`. */
  below(limit: number): number
  /** True with the given probability. */
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  bytes(length: number): Uint8Array
}

/** A generator of 32-bit numbers after Marsaglia's xorshift with a Weyl sequence (xorwow), seeded by one integer. */
export function createRandom(seed: number): Random {
  let x = (seed ^ 0x9e3779b9) >>> 0 || 1
  let y = 362436069
  let z = 521288629
  let w = 88675123
  let v = 5783321
  let counter = 6615241
  const next = (): number => {
    const t = x ^ (x >>> 2)
    x = y
    y = z
    z = w
    w = v
    v = v ^ (v << 4) ^ (t ^ (t << 1))
    counter = (counter + 362437) | 0
    return (v + counter) >>> 0
  }
  for (let round = 0; round < 16; round++) next()
  const below = (limit: number): number => Math.floor((next() / 0x1_0000_0000) * limit)
  return {
    below,
    chance: (probability) => next() < probability * 0x1_0000_0000,
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('cannot pick from an empty list')
      return item
    },
    bytes: (length) => {
      const out = new Uint8Array(length)
      for (let at = 0; at < length; at++) out[at] = next()
      return out
    },
  }
}

const WORDS =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu const return await import export function interface readonly value index length offset'.split(
    ' ',
  )

/** A line of words, as in source text or prose, without the line break. */
export function randomLine(random: Random): string {
  let line = '  '.repeat(random.below(4))
  for (let count = 1 + random.below(9); count > 0; count--) line += `${random.pick(WORDS)} `
  return line + String(random.below(100_000))
}

/** Lines of words. */
export function randomLines(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => randomLine(random))
}
