import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPakoCodecs } from '../../src/codec/pako/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import type { Codecs } from '../../src/codec/ports.ts'
import { checkCodecContract, codecContract } from '../contract/codec-contract.ts'

const PROVIDERS: Readonly<Record<string, () => Codecs>> = {
  node: () => createNodeCodecs(),
  portable: () => createPortableCodecs(),
  pako: () => createPakoCodecs(),
  'node, compressing hard': () => createNodeCodecs({ level: 9 }),
}

/** Smaller than what the provider for Node always hashes natively. */
const MESSAGE = Uint8Array.from({ length: 40 }, (_, at) => 7 * at)

describe.each(Object.entries(PROVIDERS))('codecs: %s', (_, create) => {
  const codecs = create()
  it.each(codecContract.map((promise) => [promise.name, promise] as const))('%s', (_name, promise) => {
    promise.run(codecs)
  })
})

describe('the hashes of node', () => {
  it('give the same digests of small messages however many there have been', () => {
    const { sha1, sha256 } = createNodeCodecs()
    for (const hash of [sha1, sha256]) {
      const digests = new Set<string>()
      const out = new Uint8Array(hash.length)
      for (let count = 0; count < 40_000; count++) {
        hash.digestRangeInto(MESSAGE, 0, MESSAGE.length, out, 0)
        digests.add(encodeHex(out))
      }
      expect([...digests]).toStrictEqual([createHash(hash.name).update(MESSAGE).digest('hex')])
    }
  })
})

describe('the codec contract', () => {
  it('notices a provider that breaks a promise, and names it', () => {
    const codecs = createPortableCodecs()
    const broken: Codecs = { ...codecs, name: 'broken', crc32: { update: () => 1 } }
    expect(() => {
      checkCodecContract(broken)
    }).toThrow(/'broken' break a promise: CRC-32/)
  })
})

describe('the options of a provider', () => {
  it.each([createNodeCodecs, createPakoCodecs, createPortableCodecs])(
    'refuse a compression level that does not exist',
    (create) => {
      for (const level of [-2, 10, 1.5, Number.NaN]) {
        expect(() => create({ level })).toThrow(/compression level/)
      }
    },
  )

  it.each([createNodeCodecs, createPakoCodecs, createPortableCodecs])(
    'choose how hard deflate tries',
    (create) => {
      const text = new TextEncoder().encode(
        Array.from({ length: 900 }, (_, n) => `line ${n % 89} of ${n % 7}, `).join(''),
      )
      const lengths = [0, 1, 6, 9].map((level) => create({ level }).deflate.deflate(text).length)
      expect(lengths).toStrictEqual(lengths.toSorted((a, b) => b - a))
      expect(create().deflate.deflate(text)).toStrictEqual(create({ level: 6 }).deflate.deflate(text))
      expect(create({ level: -1 }).deflate.deflate(text)).toStrictEqual(
        create({ level: 6 }).deflate.deflate(text),
      )
    },
  )
})
