import fc from 'fast-check'

/** A change to the bytes of a pack; `where` is a fraction of its length. */
export type Change = readonly [kind: 'flip' | 'set' | 'cut' | 'insert' | 'copy', where: number, value: number]

export const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom<Change[0]>('flip', 'flip', 'flip', 'set', 'cut', 'insert', 'copy'),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.integer({ min: 1, max: 255 }),
)

/** Applies changes one after the other. */
export function mutate(pack: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = Buffer.from(pack)
  for (const [kind, where, value] of changes) {
    const at = Math.floor(where * bytes.length)
    if (kind === 'flip') bytes[at]! ^= value
    else if (kind === 'set') bytes[at] = value
    else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (value & 7))])
    else if (kind === 'insert')
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(value), bytes.subarray(at)])
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(at >> 1, (at >> 1) + value),
        bytes.subarray(at),
      ])
  }
  return bytes
}
