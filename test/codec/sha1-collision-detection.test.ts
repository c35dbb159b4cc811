import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { encodeLatin1 } from '../../src/bytes/text.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import type { HashAlgorithm } from '../../src/codec/ports.ts'
import { createSha1WithCollisionDetection } from '../../src/codec/sha1-collision-detection.ts'
import { isGitError } from '../../src/errors.ts'
import { hashCases } from '../contract/codec-hash-contract.ts'
import { noise, prose } from '../contract/codec-case.ts'

/** The beginning of both PDF files of the "SHAttered" collision (Stevens, Bursztein, Karpman, Albertini, Markov, 2017). */
const PREFIX = encodeLatin1(
  '%PDF-1.3\n%\xe2\xe3\xcf\xd3\n\n\n1 0 obj\n<</Width 2 0 R/Height 3 0 R/Type 4 0 R/Subtype 5 0 R/Filter 6 0 R' +
    '/ColorSpace 7 0 R/Length 8 0 R/BitsPerComponent 8>>\nstream\n\xff\xd8\xff\xfe\x00$SHA-1 is dead!!!!!' +
    '\x85/\xec\x09#9u\x9c9\xb1\xa1\xc6<L\x97\xe1\xff\xfe\x01',
)

/** The two blocks that follow in either file. */
const BLOCKS = [
  '7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb7' +
    '6038e972722fe7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514' +
    'e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1',
  '7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3' +
    'dc38e96ac22fe7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500' +
    'eb4ddc0decc1a864790c782c76215660dd309791d06bd0af3f98cda4bc4629b1',
]

const COLLIDING = BLOCKS.map((blocks) => Uint8Array.of(...PREFIX, ...parseHex(blocks)))

const sha1 = createSha1WithCollisionDetection()

function digest(hash: HashAlgorithm, bytes: Uint8Array): string {
  const out = new Uint8Array(hash.length)
  hash.digestRangeInto(bytes, 0, bytes.length, out, 0)
  return encodeHex(out)
}

function plainDigest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

function refusal(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    if (isGitError(error, 'CORRUPT_OBJECT')) return error.details['reason']
    throw error
  }
  return 'accepted'
}

describe('SHA-1 with collision detection', () => {
  it.each(hashCases.map((promise) => [promise.name, promise] as const))(
    'as any hash: %s',
    (_name, promise) => {
      promise.run(createNodeCodecs({ collisionDetection: true }))
    },
  )

  it('gives the digests of plain SHA-1', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30_000 }), fc.integer(), (length, seed) => {
        expect(digest(sha1, noise(length, seed))).toBe(plainDigest(noise(length, seed)))
        expect(digest(sha1, prose(length, seed))).toBe(plainDigest(prose(length, seed)))
      }),
      { numRuns: 50 },
    )
    // Blocks that are all alike meet the conditions of many vectors without being part of an attack.
    for (const byte of [0, 0x20, 0x55, 0xff]) {
      const bytes = new Uint8Array(100_000).fill(byte)
      expect(digest(sha1, bytes)).toBe(plainDigest(bytes))
    }
  })

  it('refuses either message of the SHAttered collision, and names the digest that they share', () => {
    expect(COLLIDING.map(plainDigest)).toStrictEqual(
      Array(2).fill('f92d74e3874587aaf443d1db961d4e26dde13e9c'),
    )
    for (const message of COLLIDING) {
      expect(refusal(() => digest(sha1, message))).toBe('sha1-collision')
      expect(() => digest(sha1, message)).toThrow(/f92d74e3874587aaf443d1db961d4e26dde13e9c/)
    }
  })

  it('refuses a message that goes on behind the collision, and withholds the digest', () => {
    for (const message of COLLIDING) {
      const longer = Uint8Array.of(...message, ...prose(5000))
      const out = new Uint8Array(20)
      expect(
        refusal(() => {
          sha1.digestRangeInto(longer, 0, longer.length, out, 0)
        }),
      ).toBe('sha1-collision')
      expect(out).toStrictEqual(new Uint8Array(20))
    }
  })

  it('refuses it however it arrives', () => {
    for (const step of [1, 64, 100, 320]) {
      const running = sha1.create()
      const [message] = COLLIDING as [Uint8Array]
      for (let at = 0; at < message.length; at += step)
        running.update(message, at, Math.min(at + step, message.length))
      expect(
        refusal(() => {
          running.digestInto(new Uint8Array(20), 0)
        }),
      ).toBe('sha1-collision')
    }
  })

  it('gives the same digests, and refuses the same, where blocks are noted', () => {
    const noted = (bytes: Uint8Array, notes: Uint8Array): string => {
      const out = new Uint8Array(20)
      sha1.digestNotedInto?.(bytes, 0, bytes.length, out, 0, notes, 0)
      return encodeHex(out)
    }
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.integer(), fc.nat({ max: 9 }), (length, seed, blank) => {
        const bytes = noise(length, seed)
        const notes = new Uint8Array(length >>> 6)
        expect(noted(bytes, notes)).toBe(plainDigest(bytes))
        expect(notes).not.toContain(0)
        notes.fill(0, blank, 2 * blank)
        const other = Uint8Array.of(...noise(64, seed + 1), ...bytes.subarray(64))
        notes[0] = 0
        expect(noted(other.subarray(0, length), notes)).toBe(plainDigest(other.subarray(0, length)))
      }),
      { numRuns: 100 },
    )
    for (const message of COLLIDING) {
      const notes = new Uint8Array(message.length >>> 6)
      // Blocks that are known from where they do not collide are no less part of an attack where they do.
      const elsewhere = Uint8Array.of(...noise(192), ...message.subarray(192))
      expect(noted(elsewhere, notes)).toBe(plainDigest(elsewhere))
      notes.fill(0, 0, 3)
      expect(refusal(() => noted(message, notes))).toBe('sha1-collision')
      expect(refusal(() => noted(message, notes))).toBe('sha1-collision')
    }
  })

  it('lets pass what is not quite the collision, also just after a refusal', () => {
    const [message] = COLLIDING as [Uint8Array]
    expect(digest(sha1, message.subarray(0, 256))).toBe(plainDigest(message.subarray(0, 256)))
    expect(refusal(() => digest(sha1, message))).toBe('sha1-collision')
    for (let at = 0; at < message.length; at += 7) {
      const changed = message.slice()
      changed[at] = changed[at]! ^ 1
      expect(digest(sha1, changed)).toBe(plainDigest(changed))
    }
    // The same two blocks do not collide where they do not follow what they were made for.
    const elsewhere = Uint8Array.of(...noise(192), ...message.subarray(192))
    expect(digest(sha1, elsewhere)).toBe(plainDigest(elsewhere))
  })

  it('is an option of both providers, and off by default', () => {
    for (const message of COLLIDING) {
      expect(refusal(() => digest(createNodeCodecs({ collisionDetection: true }).sha1, message))).toBe(
        'sha1-collision',
      )
      expect(refusal(() => digest(createPortableCodecs({ collisionDetection: true }).sha1, message))).toBe(
        'sha1-collision',
      )
      expect(digest(createNodeCodecs().sha1, message)).toBe(plainDigest(message))
      expect(digest(createPortableCodecs().sha1, message)).toBe(plainDigest(message))
    }
  })
})
