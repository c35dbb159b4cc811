import { encodeHex } from '../../src/bytes/hex.ts'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import type { Codecs, HashAlgorithm } from '../../src/codec/ports.ts'
import { assertSame, assertSameBytes, assertThrows, type CodecCase, noise } from './codec-case.ts'

/** FIPS 180-4's examples. */
const VECTORS: Readonly<Record<HashAlgorithm['name'], readonly (readonly [text: string, digest: string])[]>> =
  {
    sha1: [
      ['', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
      ['abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
      [
        'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
        '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
      ],
      ['a'.repeat(1_000_000), '34aa973cd4c4daa4f61eeb2bdbad27316534016f'],
    ],
    sha256: [
      ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [
        'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
        '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      ],
      ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
    ],
  }

const LENGTHS = { sha1: 20, sha256: 32 } as const

function eachHash(run: (hash: HashAlgorithm) => void): (codecs: Codecs) => void {
  return (codecs) => {
    run(codecs.sha1)
    run(codecs.sha256)
  }
}

function digest(hash: HashAlgorithm, bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  const out = new Uint8Array(hash.length)
  hash.digestRangeInto(bytes, start, end, out, 0)
  return out
}

export const hashCases: readonly CodecCase[] = [
  {
    name: 'a hash knows its name and length',
    run(codecs: Codecs): void {
      for (const name of ['sha1', 'sha256'] as const) {
        assertSame(codecs[name].name, name, 'name')
        assertSame(codecs[name].length, LENGTHS[name], 'length')
      }
    },
  },
  {
    name: 'a hash in one go gives the published digests',
    run: eachHash((hash) => {
      for (const [text, expected] of VECTORS[hash.name]) {
        assertSame(
          encodeHex(digest(hash, encodeUtf8(text))),
          expected,
          `${hash.name} of '${text.slice(0, 10)}'`,
        )
      }
    }),
  },
  {
    name: 'a running hash gives the published digests',
    run: eachHash((hash) => {
      for (const [text, expected] of VECTORS[hash.name]) {
        const running = hash.create()
        running.update(encodeUtf8(text))
        const out = new Uint8Array(hash.length)
        running.digestInto(out, 0)
        assertSame(encodeHex(out), expected, `${hash.name} of '${text.slice(0, 10)}'`)
      }
    }),
  },
  {
    name: 'a running hash does not depend on how its input is cut, nor on where it lies',
    run: eachHash((hash) => {
      const bytes = noise(700)
      for (let length = 0; length < 270; length++) {
        const start = length % 7
        const expected = digest(hash, bytes.slice(start, start + length))
        assertSameBytes(digest(hash, bytes, start, start + length), expected, `${length} bytes from ${start}`)
        for (const step of [1, 13, 63, 64, 65, 128]) {
          const running = hash.create()
          for (let at = start; at < start + length; at += step) {
            running.update(bytes, at, Math.min(at + step, start + length))
          }
          const out = new Uint8Array(hash.length)
          running.digestInto(out, 0)
          assertSameBytes(out, expected, `${length} bytes in steps of ${step}`)
        }
      }
    }),
  },
  {
    name: 'running hashes beside each other do not disturb one another',
    run: eachHash((hash) => {
      const bytes = noise(300)
      const first = hash.create()
      first.update(bytes, 0, 100)
      const second = hash.create()
      second.update(bytes, 200, 300)
      const between = digest(hash, bytes)
      first.update(bytes, 100, 300)
      const firstDigest = new Uint8Array(hash.length)
      first.digestInto(firstDigest, 0)
      const secondDigest = new Uint8Array(hash.length)
      second.digestInto(secondDigest, 0)
      assertSameBytes(firstDigest, between, 'the first')
      assertSameBytes(secondDigest, digest(hash, bytes, 200, 300), 'the second')
    }),
  },
  {
    name: 'a running hash has consumed its input when update returns',
    run: eachHash((hash) => {
      const bytes = noise(100)
      const expected = digest(hash, bytes)
      const running = hash.create()
      running.update(bytes)
      bytes.fill(0)
      const out = new Uint8Array(hash.length)
      running.digestInto(out, 0)
      assertSameBytes(out, expected, 'digest')
    }),
  },
  {
    name: 'a digest is written at its place and nowhere else',
    run: eachHash((hash) => {
      for (const size of [3, 5000]) {
        const bytes = noise(size)
        const expected = new Uint8Array(hash.length + 10).fill(0xee)
        expected.set(digest(hash, bytes), 7)
        const oneShot = new Uint8Array(hash.length + 10).fill(0xee)
        hash.digestRangeInto(bytes, 0, size, oneShot, 7)
        assertSameBytes(oneShot, expected, 'in one go')
        const out = new Uint8Array(hash.length + 10).fill(0xee)
        const running = hash.create()
        running.update(bytes)
        running.digestInto(out, 7)
        assertSameBytes(out, expected, 'running')
      }
    }),
  },
  {
    name: 'a hash refuses ranges that do not lie within their arrays',
    run: eachHash((hash) => {
      const bytes = noise(1000)
      const out = new Uint8Array(hash.length)
      for (const [start, end] of [
        [-1, 5],
        [6, 5],
        [0, 1001],
      ] as const) {
        assertThrows(
          'INVALID_ARGUMENT',
          () => {
            hash.digestRangeInto(bytes, start, end, out, 0)
          },
          `${start}, ${end}`,
        )
        assertThrows(
          'INVALID_ARGUMENT',
          () => {
            hash.create().update(bytes, start, end)
          },
          `${start}, ${end}`,
        )
      }
      assertThrows(
        'INVALID_ARGUMENT',
        () => {
          hash.digestRangeInto(bytes, 0, 1000, out, 1)
        },
        'digest out of range',
      )
      assertThrows(
        'INVALID_ARGUMENT',
        () => {
          hash.create().digestInto(out, 1)
        },
        'digest out of range',
      )
    }),
  },
]

export const crc32Cases: readonly CodecCase[] = [
  {
    name: 'CRC-32 gives the check value of its definition',
    run({ crc32 }: Codecs): void {
      assertSame(crc32.update(0, encodeUtf8('123456789'), 0, 9), 0xcbf43926, 'CRC-32 of 123456789')
      assertSame(crc32.update(0, noise(5), 2, 2), 0, 'CRC-32 of nothing')
      assertSame(crc32.update(0, new Uint8Array(4096), 0, 4096), 0xc71c0011, 'CRC-32 of 4096 zeros')
    },
  },
  {
    name: 'CRC-32 does not depend on how its input is cut, nor on where it lies',
    run({ crc32 }: Codecs): void {
      const bytes = noise(3000)
      for (let length = 0; length < 1500; length += 1 + (length >> 4)) {
        const start = length % 9
        const whole = crc32.update(0, bytes.slice(start, start + length), 0, length)
        const cut = start + (length >> 1)
        const continued = crc32.update(crc32.update(0, bytes, start, cut), bytes, cut, start + length)
        assertSame(continued, whole, `${length} bytes from ${start}`)
      }
    },
  },
  {
    name: 'CRC-32 refuses ranges that do not lie within their array',
    run({ crc32 }: Codecs): void {
      assertThrows('INVALID_ARGUMENT', () => crc32.update(0, noise(10), 0, 11), 'past the end')
      assertThrows('INVALID_ARGUMENT', () => crc32.update(0, noise(10), 0, 100_000), 'far past the end')
      assertThrows('INVALID_ARGUMENT', () => crc32.update(0, noise(10), -1, 5), 'before the beginning')
    },
  },
]
