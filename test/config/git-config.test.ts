import { describe, expect, test } from 'vitest'
import { isGitError } from '../../src/errors.ts'
import { encodeGitConfig, setInGitConfig } from '../../src/config/config-edit.ts'
import { parseGitConfig } from '../../src/config/git-config.ts'

function listed(text: string): [string, string | undefined][] {
  return parseGitConfig(text).entries.map(({ key, value }) => [key, value])
}

function failure(run: () => unknown): { code: string; line: unknown } | undefined {
  try {
    run()
  } catch (error) {
    return isGitError(error)
      ? { code: error.code, line: error.details['line'] }
      : { code: String(error), line: 0 }
  }
  return undefined
}

describe('reading', () => {
  test('section and name compare without case, the subsection exactly', () => {
    const config = parseGitConfig(
      '[Remote "Origin"]\n\tURL = a\n[remote "origin"]\n\turl = b\n[Core]\nBARE=true\n',
    )
    expect(config.get('REMOTE.Origin.Url')).toBe('a')
    expect(config.get('remote.origin.url')).toBe('b')
    expect(config.get('remote.ORIGIN.url')).toBeUndefined()
    expect(config.getBool('core.Bare', false)).toBe(true)
  })

  test('the last of several values wins and all are listed in order', () => {
    const config = parseGitConfig('[a]\nx = 1\nx = 2\n[b]\nx = 9\n[a]\nx = 3\nx\n')
    expect(config.getAll('a.x')).toEqual(['1', '2', '3', 'true'])
    expect(config.get('b.x')).toBe('9')
    expect(config.getAll('a.y')).toEqual([])
  })

  test('blanks within an unquoted value are kept as written', () => {
    expect(parseGitConfig('[a]\nx =  one\t two   # rest\n').get('a.x')).toBe('one\t two')
  })

  test('an entry knows the line it begins on', () => {
    const text = '# c\n[a]\r\n\r\nx = 1\\\n  2\ny = 3\n'
    expect(parseGitConfig(text).entries.map(({ key, line }) => [key, line])).toEqual([
      ['a.x', 4],
      ['a.y', 6],
    ])
  })

  test.each([
    ['true', true],
    ['YES', true],
    ['on', true],
    ['1', true],
    ['-2', true],
    ['1k', true],
    ['false', false],
    ['No', false],
    ['off', false],
    ['0', false],
    ['', false],
  ])('%j as a boolean', (value, expected) => {
    expect(parseGitConfig(`[a]\nx = ${value}\n`).getBool('a.x', !expected)).toBe(expected)
  })

  test.each([
    ['0', 0],
    ['-12', -12],
    ['+3', 3],
    ['2k', 2048],
    ['3M', 3 * 1024 ** 2],
    ['4g', 4 * 1024 ** 3],
    ['0x10', 16],
    ['010', 8],
  ])('%j as an integer', (value, expected) => {
    expect(parseGitConfig(`[a]\nx = ${value}\n`).getInt('a.x', 99)).toBe(expected)
  })

  test('a missing key gives the fallback', () => {
    const config = parseGitConfig('')
    expect([config.getBool('a.x', true), config.getInt('a.x', 5), config.get('a.x')]).toEqual([
      true,
      5,
      undefined,
    ])
  })

  test.each(['maybe', '1q', '09', '9007199254740993', '1.5'])(
    '%j is refused as a number, with its line',
    (value) => {
      const config = parseGitConfig(`[a]\n\nx = ${value}\n`)
      expect(failure(() => config.getInt('a.x', 0))).toEqual({ code: 'CORRUPT_CONFIG', line: 3 })
      expect(failure(() => config.getBool('a.x', false))).toEqual({ code: 'CORRUPT_CONFIG', line: 3 })
    },
  )

  test.each([
    ['section without end', '[a\n', 1],
    ['text after the subsection', '[a "b" ]\n', 1],
    ['subsection without quotes', '[a b]\n', 1],
    ['subsection over two lines', '\n[a "b\n"]\n', 2],
    ['bad character in a section', '[a_b]\n', 1],
    ['bad character in a name', '[a]\nx_y = 1\n', 2],
    ['name that begins with a digit', '[a]\n1x = 1\n', 2],
    ['quoted value without end', '[a]\n\nx = "abc\n', 3],
    ['unknown escape', '[a]\nx = a\\\nb\\q\n', 3],
  ])('a malformed file is refused with the line: %s', (_, text, line) => {
    expect(failure(() => parseGitConfig(text))).toEqual({ code: 'CORRUPT_CONFIG', line })
  })
})

describe('writing', () => {
  test('what is encoded reads back, in order', () => {
    const settings = [
      { key: 'core.bare', value: 'true' },
      { key: 'core.empty', value: '' },
      { key: 'core.flag', value: undefined },
      { key: 'remote.a "b\\.c.url', value: ' lead # and ; "quote" \\ \t tab\nline\r ' },
      { key: 'remote.a "b\\.c.url', value: '\b' },
      { key: 'core.bare', value: 'x' },
    ]
    expect(listed(encodeGitConfig(settings))).toEqual(settings.map(({ key, value }) => [key, value]))
  })

  test('a replaced value leaves everything else as it was', () => {
    const text = '# top\n[core] ; why\n\tbare = false # old\n\n[other]\n  x=1\n'
    expect(setInGitConfig(text, 'core.bare', 'true')).toBe(
      '# top\n[core] ; why\n\tbare = true\n\n[other]\n  x=1\n',
    )
  })

  test('a new key goes to the end of its section, a new section to the end of the file', () => {
    const text = '[a]\n\tx = 1\n# note\n[b]\n\ty = 2'
    expect(setInGitConfig(text, 'a.z', '3')).toBe('[a]\n\tx = 1\n\tz = 3\n# note\n[b]\n\ty = 2')
    expect(setInGitConfig(text, 'b.z', '3')).toBe(`${text}\n\tz = 3\n`)
    expect(setInGitConfig(text, 'c.Sub.z', '3')).toBe(`${text}\n[c "Sub"]\n\tz = 3\n`)
  })

  test('several values become one, in the place of the last', () => {
    const text = '[a] x = 1\n\tx = 2\n\ty = 0\n\tx = 3\n'
    expect(setInGitConfig(text, 'a.x', 'new')).toBe('[a]\n\ty = 0\n\tx = new\n')
    expect(setInGitConfig(text, 'a.x', undefined)).toBe('[a]\n\ty = 0\n')
  })

  test('a header that shares its line with another keeps its own settings', () => {
    const edited = setInGitConfig('[a] [b]\nx = 1\n', 'a.y', '2')
    expect(listed(edited)).toEqual([
      ['a.y', '2'],
      ['b.x', '1'],
    ])
  })

  test.each(['core', 'core.', '.bare', 'co_re.bare', 'core.1bare', 'core.a\nb.c', ''])(
    '%j is refused as a key',
    (key) => {
      expect(failure(() => setInGitConfig('', key, 'x'))?.code).toBe('INVALID_ARGUMENT')
      expect(failure(() => encodeGitConfig([{ key, value: 'x' }]))?.code).toBe('INVALID_ARGUMENT')
    },
  )

  test('a value with NUL is refused', () => {
    expect(failure(() => setInGitConfig('', 'a.b', 'x\0y'))?.code).toBe('INVALID_ARGUMENT')
  })
})
