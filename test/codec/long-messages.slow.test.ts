import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPakoCodecs } from '../../src/codec/pako/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'

describe.each([
  ['portable', createPortableCodecs()],
  ['pako', createPakoCodecs()],
  ['node', createNodeCodecs()],
])('hashes: %s', (_, codecs) => {
  it.each(['sha1', 'sha256'] as const)(
    '%s counts a message whose length in bits does not fit 32 bits',
    (name) => {
      const piece = new Uint8Array(1 << 20).map((_byte, at) => at)
      const running = codecs[name].create()
      const expected = createHash(name)
      for (let count = 0; count < 513; count++) {
        running.update(piece)
        expected.update(piece)
      }
      const out = new Uint8Array(codecs[name].length)
      running.digestInto(out, 0)
      expect(encodeHex(out)).toBe(expected.digest('hex'))
    },
  )
})
