import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { encodeLooseRef, parseLooseRef } from '../../src/refs/loose-ref.ts'
import { errorCode } from './error-code.ts'

const ID = '0123456789abcdef0123456789abcdef01234567'
const parse = (text: string, hexLength = 40): unknown =>
  parseLooseRef(encodeUtf8(text), 'refs/heads/x', hexLength)

describe('loose refs', () => {
  test('what is encoded parses back', () => {
    for (const target of [
      { kind: 'direct', id: ID },
      { kind: 'symbolic', target: 'refs/heads/größe' },
    ] as const) {
      expect(parseLooseRef(encodeLooseRef(target), 'HEAD', 40)).toEqual(target)
    }
    expect(encodeLooseRef({ kind: 'direct', id: ID })).toEqual(encodeUtf8(`${ID}\n`))
    expect(encodeLooseRef({ kind: 'symbolic', target: 'refs/heads/a' })).toEqual(
      encodeUtf8('ref: refs/heads/a\n'),
    )
  })

  test('white space is forgiven where git forgives it', () => {
    const direct = { kind: 'direct', id: ID }
    const symbolic = { kind: 'symbolic', target: 'refs/heads/a' }
    expect(parse(ID)).toEqual(direct)
    expect(parse(`${ID} \r\n\n`)).toEqual(direct)
    expect(parse(`${ID}\tbranch 'x' of y\n`)).toEqual(direct)
    expect(parse(`${ID.toUpperCase()}\n`)).toEqual(direct)
    expect(parse('ref:refs/heads/a')).toEqual(symbolic)
    expect(parse('ref: \t refs/heads/a \n')).toEqual(symbolic)
  })

  test('anything else is corrupt, and says which ref', () => {
    for (const text of [
      '',
      '\n',
      ID.slice(1),
      `${ID}0`,
      ` ${ID}`,
      'ref:',
      'ref: a b',
      'ref: ../config',
      `g${ID.slice(1)}`,
    ]) {
      expect(
        errorCode(() => parse(text)),
        text,
      ).toBe('CORRUPT_REF')
    }
    expect(() => parse('')).toThrow('refs/heads/x is empty')
    expect(() => parse(ID, 64)).toThrow('64 hexadecimal digits')
    expect(() => parse('\0'.repeat(41))).toThrow('hexadecimal')
  })
})
