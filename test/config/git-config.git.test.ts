import fc from 'fast-check'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isGitError } from '../../src/errors.ts'
import { setInGitConfig } from '../../src/config/config-edit.ts'
import { parseGitConfig } from '../../src/config/git-config.ts'
import { gitEnvironment } from '../support/git.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'packstone-config-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const environment = gitEnvironment()

/** What git lists of the text, or the number of the line it cannot parse. */
function gitList(text: string): string | number {
  const file = join(folder, 'config')
  writeFileSync(file, text)
  const run = spawnSync('git', ['config', '--file', file, '-l', '-z'], { env: environment, encoding: 'utf8' })
  if (run.status === 0) return run.stdout
  const line = /bad config line (\d+)/.exec(run.stderr)?.[1]
  if (line === undefined) throw new Error(run.stderr)
  return Number(line)
}

function ourList(text: string): string | number {
  try {
    return parseGitConfig(text)
      .entries.map(({ key, value }) => (value === undefined ? `${key}\0` : `${key}\n${value}\0`))
      .join('')
  } catch (error) {
    if (isGitError(error, 'CORRUPT_CONFIG')) return Number(error.details['line'])
    throw error
  }
}

/** No tab or lone CR: within a value git 2.39 makes a space of them, later versions keep them as this project does. */
const piece = fc.constantFrom(
  ...[
    '[a]',
    '[A.b]',
    '[a "B"]',
    '[a "\\"\\x\\\\"]',
    '[core]',
    '[a',
    ']',
    '[]',
    '[ "x"]',
    '"',
    '\\',
    '\\n',
    '\\t',
    '\\b',
  ],
  ...[
    '\\"',
    '\\q',
    '\\\n',
    '\\\r\n',
    '#',
    ';',
    '=',
    ' = ',
    ' ',
    '  ',
    '\n',
    '\n',
    '\n',
    '\r\n',
    '\n  ',
    'x',
    'Key',
  ],
  ...['k-1', '1', '-', '.', 'value', 'x = 1\n', 'y\n', 'é', '\ufeff', '\v'],
)

test('any text lists as git lists it, or fails on the same line', () => {
  const texts = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
    fc.array(piece, { maxLength: 14 }).map((pieces) => `[a]\nx = ${pieces.join('')}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const [ours, git] = [ourList(text), gitList(text)]
      // At the end of a text without a final newline git counts one line too many.
      if (typeof ours === 'number' && !text.endsWith('\n')) expect(typeof git).toBe('number')
      else expect(ours).toEqual(git)
    }),
    { numRuns: 300 },
  )
})

test('an edit lists as the same edit by git does', () => {
  const key = fc.constantFrom('a.x', 'a.X', 'a.b.x', 'a.B.x', 'core.bare', 'a.we "ird\\.y')
  const value = fc.array(fc.constantFrom(' ', '\t', '"', '\\', '#', ';', 'v', '\n', 'é', '='), {
    maxLength: 5,
  })
  const line = fc.constantFrom(
    '[a]',
    '[a "b"]',
    '[A "B"] ',
    '[core] ; c',
    'x = 1',
    'x',
    ' X = "2 #" # c',
    'bare=\\',
    '',
    '#',
  )
  const texts = fc.array(line, { maxLength: 8 }).map((lines) => `[z]\n${lines.join('\n')}`)
  fc.assert(
    fc.property(texts, key, value, (text, name, characters) => {
      fc.pre(typeof ourList(text) === 'string')
      const file = join(folder, 'edited')
      writeFileSync(file, text)
      const args = ['config', '--file', file, '--replace-all', name, characters.join('')]
      execFileSync('git', args, { env: environment, stdio: 'ignore' })
      const ours = setInGitConfig(text, name, characters.join(''))
      expect(ourList(ours)).toBe(gitList(ours))
      expect(sorted(ourList(ours))).toEqual(sorted(gitList(readFileSync(file, 'utf8'))))
    }),
    { numRuns: 80 },
  )
})

/** Settings without regard to order: git may write the new value in another place of the file. */
function sorted(list: string | number): string[] {
  return String(list).split('\0').sort()
}
