import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { encodeLooseRef, parseLooseRef } from '../../src/refs/loose-ref.ts'
import { git, tryGit } from '../support/git.ts'
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

  test('files are read as git reads them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'packstone-loose-ref-'))
    try {
      await git(['init', '-q', '--bare', directory])
      const tree = await git(['hash-object', '-t', 'tree', '-w', '--stdin'], { cwd: directory, input: '' })
      const id = await git(['commit-tree', '-m', 'x', tree], { cwd: directory })
      await git(['update-ref', 'refs/heads/a', id], { cwd: directory })
      const ids = [
        id,
        `${id}\n`,
        `${id} x`,
        `${id}\tx\n`,
        `${id}x`,
        `${id}00`,
        id.slice(1),
        id.toUpperCase(),
        `\n${id}`,
      ]
      const names = ['', 'refs/heads/a', ' refs/heads/a ', '\t\n refs/heads/a\r\n', '  refs/heads/a\x0b']
      const bad = [
        'refs/heads/a b',
        '../config',
        'refs/heads/a..b',
        'refs/heads/',
        'refs/heads/a.lock',
        'a\\b',
      ]
      for (const text of [
        '',
        '\n',
        ...ids,
        ...[...names, ...bad].map((name) => `ref:${name}`),
        'ref refs/heads/a',
        'Ref: a',
      ]) {
        await writeFile(join(directory, 'refs/heads/x'), text)
        const resolved = await tryGit(['rev-parse', '--verify', '--quiet', 'refs/heads/x'], {
          cwd: directory,
        })
        const code = errorCode(() => parse(text))
        expect([text, code]).toEqual([text, resolved.code === 0 ? 'none' : 'CORRUPT_REF'])
      }
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
