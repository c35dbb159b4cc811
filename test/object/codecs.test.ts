import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeLatin1, decodeUtf8, encodeLatin1, encodeUtf8 } from '../../src/bytes/text.ts'
import { encodeHex } from '../../src/bytes/hex.ts'
import { isGitError } from '../../src/errors.ts'
import { commitEncoding, encodeCommit, parseCommit, type Commit } from '../../src/object/commit.ts'
import { parseCommitLinks } from '../../src/object/commit-links.ts'
import { decodeEscapedText, encodeEscapedText } from '../../src/object/escaped-text.ts'
import { encodeIdentity, parseIdentity, type Identity } from '../../src/object/identity.ts'
import { decodeMessage, splitSignature } from '../../src/object/message-text.ts'
import { hashObject } from '../../src/object/object-id.ts'
import { COMMIT, TAG } from '../../src/object/object-type.ts'
import { encodeTag, parseTag, type Tag } from '../../src/object/tag.ts'
import { parseTagTarget } from '../../src/object/tag-target.ts'
import { encodeTree, parseTree, type TreeEntry } from '../../src/object/tree.ts'
import { readObjectFixture, readObjectFixtures, type ObjectFixture } from './codec-fixtures.ts'
import { SHA1 } from './test-formats.ts'

const ID = 'ab'.repeat(20)

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return isGitError(error) ? error.code : String(error)
  }
  return undefined
}

function recode({ type, body, format }: Pick<ObjectFixture, 'type' | 'body' | 'format'>): Uint8Array {
  if (type === COMMIT) return encodeCommit(parseCommit(body, format), format)
  if (type === TAG) return encodeTag(parseTag(body, format), format)
  return encodeTree(parseTree(body, format), format)
}

describe('objects that git stored', () => {
  const fixtures = readObjectFixtures()

  test.each(fixtures.map((fixture) => [fixture.name, fixture] as const))(
    '%s survives parse and encode',
    (_, fixture) => {
      expect(encodeHex(hashObject(fixture.type, fixture.body, fixture.format))).toBe(fixture.id)
      expect(decodeLatin1(recode(fixture))).toBe(decodeLatin1(fixture.body))
    },
  )

  test.each(
    fixtures.filter(({ type }) => type === COMMIT).map((fixture) => [fixture.name, fixture] as const),
  )('%s has the links that the light reader sees', (_, { body, format }) => {
    const commit = parseCommit(body, format)
    const links = parseCommitLinks(body, format)
    expect(encodeHex(links.tree)).toBe(commit.tree)
    expect(links.parents.map((id) => encodeHex(id))).toEqual(commit.parents)
    const time = commit.committer.time
    if (typeof time === 'number' && time >= 0) expect(links.committerTime).toBe(time)
  })
})

test('what parses at all, parses back to the same bytes however it is damaged', () => {
  const fixtures = readObjectFixtures()
  const damage = fc.record({
    name: fc.constantFrom(...fixtures.map((fixture) => fixture.name)),
    at: fc.nat(),
    cut: fc.nat({ max: 6 }),
    insert: fc.array(fc.constantFrom(0, 10, 10, 32, 48, 60, 62, 97, 0xc3, 0xa9, 0xff), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(damage, ({ name, at, cut, insert }) => {
      const fixture = fixtures.find((candidate) => candidate.name === name)!
      const from = at % (fixture.body.length + 1)
      const body = Uint8Array.from([
        ...fixture.body.subarray(0, from),
        ...insert,
        ...fixture.body.subarray(from + cut),
      ])
      let encoded: Uint8Array
      try {
        encoded = recode({ ...fixture, body })
      } catch (error) {
        if (isGitError(error, 'CORRUPT_OBJECT')) return
        throw error
      }
      expect(decodeLatin1(encoded)).toBe(decodeLatin1(body))
    }),
    { numRuns: 3000 },
  )
})

describe('escaped text', () => {
  test('any bytes survive', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .array(
          fc.constantFrom(0x41, 0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x90, 0x91, 0xef, 0xbb, 0xbf, 0xff),
        )
        .map((list) => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(bytes, (value) => {
        expect([...encodeEscapedText(decodeEscapedText(value))]).toEqual([...value])
      }),
      { numRuns: 2000 },
    )
  })

  test('UTF-8 reads as itself, every other byte as a lone surrogate', () => {
    expect(decodeEscapedText(encodeUtf8('René 🐑 \ufeff'))).toBe('René 🐑 \ufeff')
    expect(decodeEscapedText(encodeLatin1('a\xe9b\xc3\xa9'))).toBe('a\udce9bé')
  })

  test('a surrogate that carries no byte is refused', () => {
    expect(codeOf(() => encodeEscapedText('a\ud800b'))).toBe('INVALID_ARGUMENT')
    expect(codeOf(() => encodeEscapedText('\ud83d\udc11\udc11'))).toBe('INVALID_ARGUMENT')
    expect(codeOf(() => encodeEscapedText('\udc80\udbff'))).toBe('INVALID_ARGUMENT')
  })
})

describe('identities', () => {
  test.each<[string, Identity]>([
    ['A <a@b> 12 +0100', { name: 'A', email: 'a@b', time: 12, timezone: '+0100' }],
    [' <> -5 x y', { name: '', email: '', time: -5, timezone: 'x y' }],
    ['A <a> 12', { name: 'A', email: 'a', time: 12, timezone: '' }],
    ['A <a> 9007199254740993 +0000', { name: 'A', email: 'a', time: 9007199254740993n, timezone: '+0000' }],
    ['A <a>', { name: 'A', email: 'a', time: 0, timezone: '', verbatim: 'A <a>' }],
    ['A <a> 007 +1', { name: 'A', email: 'a', time: 7, timezone: '+1', verbatim: 'A <a> 007 +1' }],
    ['A<a>8 +1', { name: 'A', email: 'a', time: 8, timezone: '+1', verbatim: 'A<a>8 +1' }],
    ['A', { name: 'A', email: '', time: 0, timezone: '', verbatim: 'A' }],
    [
      'A <a <b>> 3 +0000',
      { name: 'A', email: 'a <b', time: 3, timezone: '+0000', verbatim: 'A <a <b>> 3 +0000' },
    ],
  ])('%j', (text, identity) => {
    expect(parseIdentity(text)).toEqual(identity)
    expect(encodeIdentity(identity)).toBe(text)
  })

  test('any text of one line survives', () => {
    const text = fc
      .array(fc.constantFrom('<', '>', ' ', '-', '0', '7', 'a', '\t', '\r', '\0', '\u2028', '+0000'))
      .map((list) => list.join(''))
    fc.assert(
      fc.property(text, (value) => {
        expect(encodeIdentity(parseIdentity(value))).toBe(value)
      }),
      { numRuns: 3000 },
    )
  })

  test.each<[string, Partial<Identity>]>([
    ['newline in the name', { name: 'a\nb' }],
    ['bracket in the name', { name: 'a<b' }],
    ['bracket in the email', { email: 'a>' }],
    ['NUL in the time zone', { timezone: '\0' }],
    ['a fraction of a second', { time: 1.5 }],
    ['a time beyond exact numbers', { time: 2 ** 60 }],
    ['verbatim text of another identity', { verbatim: 'B <b>' }],
  ])('%s is refused', (_, change) => {
    const identity = { name: 'A', email: 'a', time: 1, timezone: '+0000', ...change }
    expect(codeOf(() => encodeIdentity(identity))).toBe('INVALID_ARGUMENT')
  })
})

describe('commits', () => {
  const identity = { name: 'A', email: 'a@b', time: 1, timezone: '+0000' }
  const commit: Commit = {
    tree: ID,
    parents: [],
    author: identity,
    committer: identity,
    extraHeaders: [],
    message: encodeUtf8('m\n'),
  }

  test('signature, merged tags and repeated headers come apart in order', () => {
    const signed = parseCommit(readObjectFixture('commit-gpgsig'), SHA1)
    expect(signed.extraHeaders).toEqual([
      {
        name: 'gpgsig',
        value: '-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEEnot\n=abcd\n-----END PGP SIGNATURE-----',
      },
    ])
    const merge = parseCommit(readObjectFixture('commit-mergetag'), SHA1)
    expect(merge.extraHeaders.map(({ name }) => name)).toEqual(['mergetag', 'mergetag', 'encoding'])
    const tag = parseTag(encodeEscapedText(`${merge.extraHeaders[0]?.value ?? ''}\n`), SHA1)
    expect([tag.name, decodeUtf8(tag.message)]).toEqual(['v1', 'message\n'])
    const unknown = parseCommit(readObjectFixture('commit-unknown-headers'), SHA1)
    expect(unknown.extraHeaders).toEqual([
      { name: 'HG:extra', value: 'rebase:x' },
      { name: 'unknown' },
      { name: 'unknown', value: ' two spaces ' },
      { name: 'unknown', value: '\ncontinued' },
    ])
  })

  test('a message decodes as its encoding header says', () => {
    const latin1 = parseCommit(readObjectFixture('commit-latin1'), SHA1)
    expect(decodeMessage(latin1.message, commitEncoding(latin1))).toBe('café\n')
    expect(decodeMessage(encodeEscapedText(latin1.author.name), commitEncoding(latin1))).toBe('René')
    expect(decodeMessage(encodeUtf8('é'), 'no-such-encoding')).toBe('é')
    expect(decodeMessage(encodeLatin1('\xe9'))).toBe('\ufffd')
  })

  test('a body that ends after its headers says so', () => {
    expect(parseCommit(readObjectFixture('commit-header-only'), SHA1).headerOnly).toBe(true)
    expect(parseCommit(readObjectFixture('commit-empty-message'), SHA1)).not.toHaveProperty('headerOnly')
  })

  test.each<[string, string]>([
    ['empty', ''],
    ['no tree', `author A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n`],
    ['tree in capitals', `tree ${ID.toUpperCase()}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n`],
    ['bad parent', `tree ${ID}\nparent x\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n`],
    ['no author', `tree ${ID}\ncommitter A <a> 1 +0000\n\n`],
    ['no committer', `tree ${ID}\nauthor A <a> 1 +0000\n\n`],
    ['two authors', `tree ${ID}\nauthor A <a> 1 +0000\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n`],
    ['unterminated header', `tree ${ID}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000`],
  ])('%s is refused', (_, text) => {
    expect(codeOf(() => parseCommit(encodeLatin1(text), SHA1))).toBe('CORRUPT_OBJECT')
  })

  test.each<[string, Partial<Commit>, string]>([
    ['a short id', { parents: ['abc'] }, 'INVALID_ID'],
    ['a header without a name', { extraHeaders: [{ name: '' }] }, 'INVALID_ARGUMENT'],
    [
      'a header with a space in its name',
      { extraHeaders: [{ name: 'a b', value: 'c' }] },
      'INVALID_ARGUMENT',
    ],
    ['a message without a blank line', { headerOnly: true }, 'INVALID_ARGUMENT'],
  ])('%s is not written', (_, change, code) => {
    expect(codeOf(() => encodeCommit({ ...commit, ...change }, SHA1))).toBe(code)
  })
})

describe('tags', () => {
  test('a signature comes apart from the message it signs', () => {
    const { message } = parseTag(readObjectFixture('tag-signed'), SHA1)
    const { text, signature } = splitSignature(message)
    expect(decodeUtf8(text)).toBe('signed\n')
    expect(decodeUtf8(signature!)).toMatch(
      /^-----BEGIN PGP SIGNATURE-----\n[^]*-----END PGP SIGNATURE-----\n$/,
    )
    expect(splitSignature(text)).toEqual({ text })
  })

  test('old tags have no tagger', () => {
    expect(parseTag(readObjectFixture('tag-no-tagger'), SHA1)).not.toHaveProperty('tagger')
  })

  test('the light reader sees the same target', () => {
    const body = readObjectFixture('tag-plain')
    const tag = parseTag(body, SHA1)
    const target = parseTagTarget(body, SHA1)
    expect([encodeHex(target.id), target.type, target.name]).toEqual([tag.object, COMMIT, tag.name])
  })

  test.each([
    ['no object', `type commit\ntag v\n\n`],
    ['bad object', `object x\ntype commit\ntag v\n\n`],
    ['no type', `object ${ID}\ntag v\n\n`],
    ['unknown type', `object ${ID}\ntype twig\ntag v\n\n`],
    ['no name', `object ${ID}\ntype commit\n\n`],
  ])('%s is refused', (_, text) => {
    expect(codeOf(() => parseTag(encodeLatin1(text), SHA1))).toBe('CORRUPT_OBJECT')
  })

  test('a name with a newline is not written', () => {
    const tag: Tag = {
      object: ID,
      type: 'commit',
      name: 'a\nb',
      extraHeaders: [],
      message: new Uint8Array(0),
    }
    expect(codeOf(() => encodeTag(tag, SHA1))).toBe('INVALID_ARGUMENT')
  })
})

describe('trees', () => {
  const file = (name: string, mode = 0o100644): TreeEntry => ({ mode, name, id: ID })

  test('entries are written in git order whatever order they come in', () => {
    const expected = readObjectFixture('tree-order')
    const entries = [...parseTree(expected, SHA1)]
    expect(entries.map(({ name }) => name)).toEqual(['a-', 'a.b', 'a', 'a0'])
    expect([...encodeTree(entries.reverse(), SHA1)]).toEqual([...expected])
  })

  test('modes are kept as written', () => {
    const entries = parseTree(readObjectFixture('tree-old-modes'), SHA1)
    expect(entries.map(({ mode, modeText }) => [mode, modeText])).toEqual([
      [0o100664, undefined],
      [0o100600, undefined],
      [0o40000, '040000'],
      [0o100644, '0100644'],
      [0, undefined],
    ])
  })

  test('names sort by bytes, not by code units', () => {
    const tree = encodeTree([file('\u{1f411}'), file('\uffff'), file('\udcff')], SHA1)
    expect(parseTree(tree, SHA1).map(({ name }) => name)).toEqual(['\uffff', '\u{1f411}', '\udcff'])
  })

  test.each<[string, readonly TreeEntry[]]>([
    ['two entries of a name', [file('a'), file('b'), file('a', 0o40000)]],
    ['an empty name', [file('')]],
    ['a dot', [file('.')]],
    ['two dots', [file('..')]],
    ['.git', [file('.Git')]],
    ['a slash', [file('a/b')]],
    ['a NUL', [file('a\0b')]],
    ['a fractional mode', [file('a', 1.5)]],
    ['a negative mode', [file('a', -1)]],
    ['a mode written as another', [{ ...file('a'), modeText: '0100755' }]],
    ['a mode with a letter', [{ ...file('a', 1), modeText: '1x' }]],
  ])('%s is not written', (_, entries) => {
    expect(codeOf(() => encodeTree(entries, SHA1))).toBe('INVALID_ARGUMENT')
  })

  test.each([
    ['not sorted', ['100644 b', '100644 a']],
    ['directory sorted as a file', ['40000 a', '100644 a.b']],
    ['duplicate', ['100644 a', '100644 a']],
    ['file and directory of a name', ['100644 a', '100644 a.b', '40000 a']],
    ['.git', ['40000 .git']],
    ['slash', ['100644 a/b']],
    ['mode beyond 32 bits', ['100000100644 a']],
  ])('%s is refused', (_, entries) => {
    const body = encodeLatin1(entries.map((entry) => `${entry}\0${'x'.repeat(20)}`).join(''))
    expect(codeOf(() => parseTree(body, SHA1))).toBe('CORRUPT_OBJECT')
  })
})
