import type { Random } from '../support/random.ts'

/** One instruction of a delta (gitformat-pack, "Deltified representation"). */
export type Instruction =
  | { readonly kind: 'copy'; readonly offset: number; readonly size: number }
  | { readonly kind: 'insert'; readonly bytes: Uint8Array }

/** A size as deltas begin with: seven bits a byte, lowest first. */
export function encodeSize(size: number): number[] {
  const bytes: number[] = []
  let rest = size
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

/** Instructions as bytes; a copy leaves out every zero byte, and a size of 0x10000 altogether. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const out: number[] = []
  for (const instruction of instructions) {
    if (instruction.kind === 'insert') {
      out.push(instruction.bytes.length, ...instruction.bytes)
      continue
    }
    const { offset, size } = instruction
    const stored = size === 0x10000 ? 0 : size
    const at = out.push(0x80) - 1
    for (let byte = 0; byte < 4; byte++) {
      const value = Math.floor(offset / 2 ** (8 * byte)) % 256
      if (value === 0) continue
      out[at]! |= 1 << byte
      out.push(value)
    }
    for (let byte = 0; byte < 3; byte++) {
      const value = (stored >> (8 * byte)) & 0xff
      if (value === 0) continue
      out[at]! |= 0x10 << byte
      out.push(value)
    }
  }
  return Uint8Array.from(out)
}

/** What instructions make, the slow way. */
export function evaluate(base: Uint8Array, instructions: readonly Instruction[]): Uint8Array {
  return Buffer.concat(
    instructions.map((instruction) =>
      instruction.kind === 'insert'
        ? instruction.bytes
        : base.subarray(instruction.offset, instruction.offset + instruction.size),
    ),
  )
}

/** A whole delta: sizes and instructions. */
export function encodeDelta(base: Uint8Array, instructions: readonly Instruction[]): Uint8Array {
  const result = evaluate(base, instructions)
  return Buffer.concat([
    Uint8Array.from([...encodeSize(base.length), ...encodeSize(result.length)]),
    encodeInstructions(instructions),
  ])
}

/** Some instructions that fit a base. */
export function randomInstructions(random: Random, baseSize: number, count: number): Instruction[] {
  return Array.from({ length: count }, (): Instruction => {
    if (baseSize === 0 || random.chance(0.4)) {
      return { kind: 'insert', bytes: random.bytes(1 + random.below(random.chance(0.2) ? 127 : 20)) }
    }
    const offset = random.below(baseSize)
    const longest = Math.min(baseSize - offset, 0xffffff)
    const size = random.chance(0.3) ? Math.min(longest, 0x10000) : 1 + random.below(Math.min(longest, 300))
    return { kind: 'copy', offset, size }
  })
}
