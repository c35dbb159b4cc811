import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/bytes/text.ts'
import { encodePackedRefs, parsePackedRefs, type PackedRefValue } from '../../src/refs/packed-refs.ts'
import { compareRefNames } from '../../src/refs/ref-name.ts'
import type { Ref } from '../../src/refs/ref.ts'
import { errorCode } from './error-code.ts'
import { git, gitLines } from '../support/git.ts'

const A = 'a'.repeat(40)
const B = 'b'.repeat(40)
const FULLY = '# pack-refs with: peeled fully-peeled sorted \n'
const parse = (text: string): ReturnType<typeof parsePackedRefs> => parsePackedRefs(encodeUtf8(text), 40)

const name = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'é', '～', '😀', 'z'), { minLength: 1, maxLength: 3 })
  .map((parts) => `refs/${parts.join('/')}`)
const value = fc.record<PackedRefValue>({
  id: fc.constantFrom(A, B),
  peeled: fc.constantFrom(null, 'c'.repeat(40)),
})
const values = fc.dictionary(name, value, { maxKeys: 30 }).map((entries) => new Map(Object.entries(entries)))

function expectedRefs(entries: ReadonlyMap<string, PackedRefValue>, prefix = ''): Ref[] {
  return [...entries]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([left], [right]) => compareRefNames(left, right))
    .map(([key, { id, peeled }]) => ({
      name: key,
      target: { kind: 'direct', id },
      ...(peeled === undefined ? {} : { peeled }),
    }))
}

describe('packed-refs', () => {
  test('lists and finds what was encoded, in byte order', () => {
    fc.assert(
      fc.property(values, name, (entries, other) => {
        const packed = parsePackedRefs(encodePackedRefs(entries, 40), 40)
        expect(packed.size).toBe(entries.size)
        for (const prefix of ['', 'refs/a', 'refs/a/', 'refs/é', other]) {
          const expected = expectedRefs(entries, prefix)
          expect(packed.list(prefix)).toEqual(expected)
          expect([...packed.names(prefix)]).toEqual(expected.map((ref) => ref.name))
        }
        for (const key of [...entries.keys(), other]) {
          expect(packed.find(key)).toEqual(expectedRefs(entries).find((ref) => ref.name === key))
        }
      }),
    )
  })

  test('an edit gives the bytes that encoding the result gives', () => {
    const changes = fc
      .dictionary(name, fc.option(value), { maxKeys: 10 })
      .map((entries) => new Map(Object.entries(entries)))
    fc.assert(
      fc.property(values, changes, (before, edit) => {
        const after = new Map(before)
        for (const [key, change] of edit) {
          if (change === null) after.delete(key)
          else after.set(key, change)
        }
        const edited = parsePackedRefs(encodePackedRefs(before, 40), 40).edit(edit)
        expect(decodeUtf8(edited)).toBe(decodeUtf8(encodePackedRefs(after, 40)))
      }),
    )
  })

  test('files without a header or out of order are read as well', () => {
    const packed = parse(`${B} refs/tags/z\n^${A}\n${A} refs/heads/b\n${A} refs/heads/a\n${B} refs/heads/b\n`)
    expect(packed.list('')).toEqual([
      { name: 'refs/heads/a', target: { kind: 'direct', id: A } },
      { name: 'refs/heads/b', target: { kind: 'direct', id: B } },
      { name: 'refs/tags/z', target: { kind: 'direct', id: B }, peeled: A },
    ])
    const sorted = `${A} refs/heads/a\n${B} refs/heads/b\n${B} refs/tags/z\n^${A}\n`
    expect(decodeUtf8(packed.edit(new Map()))).toBe(`# pack-refs with: sorted \n${sorted}`)
  })

  test('what a file says about peeling depends on its header', () => {
    const records = `${A} refs/heads/a\n${A} refs/tags/a\n${A} refs/tags/b\n^${B}\n`
    const peeled = (header: string): unknown[] =>
      parse(header + records)
        .list('')
        .map((ref) => ref.peeled)
    expect(peeled('')).toEqual([undefined, undefined, B])
    expect(peeled('# pack-refs with: peeled \n')).toEqual([undefined, null, B])
    expect(peeled(FULLY)).toEqual([null, null, B])
  })

  test('a record of unknown peeling takes back the claims that no longer hold', () => {
    const header = (key: string): string => {
      const edited = parse(`${FULLY}${A} refs/heads/a\n`).edit(new Map([[key, { id: B }]]))
      return decodeUtf8(edited).split('\n')[0]!
    }
    expect(header('refs/heads/b')).toBe('# pack-refs with: peeled sorted ')
    expect(header('refs/tags/b')).toBe('# pack-refs with: sorted ')
  })

  test('an absent file and an empty one have no refs', () => {
    for (const text of ['', FULLY]) {
      expect(parse(text).list('')).toEqual([])
      expect(parse(text).find('refs/heads/a')).toBeUndefined()
      expect(decodeUtf8(parse(text).edit(new Map()))).toBe(FULLY)
    }
  })

  test('names that git would not show are kept but not listed', () => {
    const text = `${FULLY}${A} refs/heads/a..b\n${A} refs/heads/ok\n`
    expect(
      parse(text)
        .list('')
        .map((ref) => ref.name),
    ).toEqual(['refs/heads/ok'])
    expect(decodeUtf8(parse(text).edit(new Map()))).toBe(text)
  })

  test('names that are not UTF-8 survive an edit byte for byte', () => {
    const bytes = encodeUtf8(`${FULLY}${A} refs/heads/?\n`)
    bytes[bytes.length - 2] = 0xff
    const packed = parsePackedRefs(bytes, 40)
    expect(packed.list('')).toMatchObject([{ name: 'refs/heads/\ufffd' }])
    const edited = packed.edit(new Map([['refs/heads/a', { id: B, peeled: null }]]))
    expect(edited.subarray(-15)).toEqual(bytes.subarray(-15))
    expect(parsePackedRefs(edited, 40).size).toBe(2)
  })

  test('malformed files are corrupt, with the place', () => {
    for (const text of [
      '# something\n',
      `${A} refs/heads/a`,
      `${A}\n`,
      `${A} \n`,
      `${A.slice(1)} refs/heads/a\n`,
      `x${A.slice(1)} refs/heads/a\n`,
      `^${A}\n`,
      `${A} refs/heads/a\n^${A}\n^${A}\n`,
      `${A} refs/heads/a\n^${A.slice(1)}\n`,
      `${A} refs/heads/a\n\n`,
      '# pack-refs with: sorted',
    ]) {
      expect(
        errorCode(() => parse(text)),
        text,
      ).toBe('CORRUPT_REF')
    }
    expect(() => parse(`${A} refs/heads/a\nrubbish\n`)).toThrow(`byte ${A.length + 14}`)
  })

  test('ids of 64 digits work the same', () => {
    const id = 'd'.repeat(64)
    const packed = parsePackedRefs(
      encodePackedRefs(new Map([['refs/heads/a', { id, peeled: null }]]), 64),
      64,
    )
    expect(packed.find('refs/heads/a')).toEqual({
      name: 'refs/heads/a',
      target: { kind: 'direct', id },
      peeled: null,
    })
  })

  describe('beside git', () => {
    let directory = ''
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'packstone-packed-refs-'))
      await git(['init', '-q', '--bare', directory])
      const tree = await git(['hash-object', '-t', 'tree', '-w', '--stdin'], { cwd: directory, input: '' })
      const commit = await git(['commit-tree', '-m', 'x', tree], { cwd: directory })
      const names = [
        'heads/main',
        'heads/größe',
        'heads/😀',
        'heads/～',
        'heads/a/b',
        'heads/a-b',
        'notes/x',
        'tags/light',
      ]
      for (const one of names) await git(['update-ref', `refs/${one}`, commit], { cwd: directory })
      await git(['tag', '-a', '-m', 'x', 'annotated', commit], { cwd: directory })
      await git(['tag', '-a', '-m', 'x', 'nested', 'annotated'], { cwd: directory })
      await git(['pack-refs', '--all', '--prune'], { cwd: directory })
    })
    afterAll(() => rm(directory, { recursive: true }))

    test("git's own file is read and encoded back byte for byte", async () => {
      const file = new Uint8Array(await readFile(join(directory, 'packed-refs')))
      const packed = parsePackedRefs(file, 40)
      const refs = packed.list('')
      const lines = refs.map((ref) => {
        const id = ref.target.kind === 'direct' ? ref.target.id : ''
        return `${id} ${ref.name} ${ref.peeled ?? ''}`
      })
      const format = '--format=%(objectname) %(refname) %(*objectname)'
      // git peels one level here; the tag of a tag shows the inner tag.
      const nested = await git(['rev-parse', 'annotated'], { cwd: directory })
      const commit = await git(['rev-parse', 'main'], { cwd: directory })
      const theirs = await gitLines(['for-each-ref', format], { cwd: directory })
      expect(lines).toEqual(theirs.map((line) => line.replace(`nested ${nested}`, `nested ${commit}`)))
      const again = new Map(
        refs.map((ref) => [
          ref.name,
          { id: ref.target.kind === 'direct' ? ref.target.id : '', peeled: ref.peeled ?? null },
        ]),
      )
      expect(decodeUtf8(encodePackedRefs(again, 40))).toBe(decodeUtf8(file))
    })

    test('git reads what an edit wrote', async () => {
      const path = join(directory, 'packed-refs')
      const packed = parsePackedRefs(new Uint8Array(await readFile(path)), 40)
      const before = await gitLines(['for-each-ref', '--format=%(objectname) %(refname)'], { cwd: directory })
      const main = before.find((line) => line.endsWith('refs/heads/main'))!.slice(0, 40)
      const edited = packed.edit(
        new Map([
          ['refs/heads/a-b', null],
          ['refs/heads/new', { id: main }],
          ['refs/tags/annotated', { id: main, peeled: null }],
        ]),
      )
      await writeFile(path, edited)
      const expected = parsePackedRefs(edited, 40).list('')
      const after = await gitLines(['for-each-ref', '--format=%(objectname) %(refname)'], { cwd: directory })
      expect(after).toEqual(
        expected.map((ref) => `${ref.target.kind === 'direct' ? ref.target.id : ''} ${ref.name}`),
      )
      expect(await git(['show-ref', '-d', 'nested'], { cwd: directory })).toContain(
        `${main} refs/tags/nested^{}`,
      )
    })
  })
})
