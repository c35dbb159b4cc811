import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/bytes/text.ts'
import { encodeReflogLine, parseReflog, type ReflogLine } from '../../src/refs/reflog.ts'
import { errorCode } from './error-code.ts'
import { git } from '../support/git.ts'

const LINE: ReflogLine = {
  before: '0'.repeat(40),
  after: '1'.repeat(40),
  identity: 'A U Thor <author@example.com>',
  time: 1_600_000_000,
  timezone: 90,
  message: 'push',
}

describe('reflogs', () => {
  test('a line has the form that git writes', () => {
    expect(decodeUtf8(encodeReflogLine(LINE))).toBe(
      `${'0'.repeat(40)} ${'1'.repeat(40)} A U Thor <author@example.com> 1600000000 +0130\tpush\n`,
    )
    expect(decodeUtf8(encodeReflogLine({ ...LINE, timezone: -570, message: '' }))).toMatch(/ -0930\n$/)
  })

  test('what is encoded parses back', () => {
    const line = fc.record<ReflogLine>({
      before: fc.constantFrom('0'.repeat(40), 'a'.repeat(40)),
      after: fc.constantFrom('0'.repeat(40), 'b'.repeat(40)),
      identity: fc.constantFrom('A <a@b>', '<>', 'Ø l <x y>'),
      time: fc.nat(),
      timezone: fc.integer({ min: -5999, max: 5999 }),
      message: fc.constantFrom('', 'a', 'push: a b', 'größe > <', 'x <y> 5 +0000'),
    })
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const bytes = encodeUtf8(lines.map((one) => decodeUtf8(encodeReflogLine(one))).join(''))
        expect(parseReflog(bytes)).toEqual(lines)
      }),
    )
  })

  test('messages are folded as git folds them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'packstone-reflog-'))
    try {
      await git(['init', '-q', '--bare', directory])
      await git(['config', 'core.logAllRefUpdates', 'always'], { cwd: directory })
      const tree = await git(['hash-object', '-t', 'tree', '-w', '--stdin'], { cwd: directory, input: '' })
      const commit = await git(['commit-tree', '-m', 'x', tree], { cwd: directory })
      const messages = ['\vform\ffeed\v', '\u00a0a\u00a0', '  two\n lines \t and\r\ntabs  ', 'plain', 'é  ü']
      for (const [at, message] of messages.entries()) {
        await git(['update-ref', '-m', message, `refs/heads/${at}`, commit], { cwd: directory })
        const log = await readFile(join(directory, 'logs/refs/heads', String(at)))
        const [line] = parseReflog(log)
        expect(line).toMatchObject({ before: '0'.repeat(40), after: commit, timezone: 0 })
        expect(decodeUtf8(encodeReflogLine({ ...line!, message }))).toBe(log.toString())
      }
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  test('an identity cannot smuggle in a second line', () => {
    for (const identity of ['A <a@b>\n', 'A', 'A <a@b> 1 +0000\tx\nB <c>', 'A <a<b>>']) {
      expect(errorCode(() => encodeReflogLine({ ...LINE, identity }))).toBe('INVALID_ARGUMENT')
    }
  })

  test('a torn last line is left out, a malformed one is corrupt', () => {
    const whole = decodeUtf8(encodeReflogLine(LINE))
    expect(parseReflog(encodeUtf8(whole + whole.slice(0, 50)))).toHaveLength(1)
    expect(errorCode(() => parseReflog(encodeUtf8(`nonsense\n${whole}`)))).toBe('CORRUPT_REF')
  })
})
