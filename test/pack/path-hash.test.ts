import fc from 'fast-check'
import { expect, test } from 'vitest'
import { enterDirectory, extendPathHash, ROOT_PATH_HASH } from '../../src/pack/path-hash.ts'

/** The hash of a whole path, computed in one go over exact integers. */
function slowHash(path: Uint8Array): number {
  let hash = 0n
  for (const byte of path) {
    if ([0x20, 0x09, 0x0a, 0x0d].includes(byte)) continue
    hash = BigInt.asUintN(32, (hash >> 2n) + (BigInt(byte) << 24n))
  }
  return Number(hash)
}

test('the hash of a path is that of its bytes, however it is cut into directories', () => {
  const names = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(names, (parts) => {
      let hash = ROOT_PATH_HASH
      const path: number[] = []
      for (const [depth, name] of parts.entries()) {
        if (depth > 0) {
          path.push(0x2f)
          hash = enterDirectory(hash)
        }
        path.push(...name)
        hash = extendPathHash(hash, Uint8Array.of(1, ...name, 2), 1, 1 + name.length)
        expect(hash).toBe(slowHash(Uint8Array.from(path)))
      }
    }),
  )
})
