import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../src/bytes/compare.ts'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { isGitError } from '../../src/errors.ts'
import {
  assertRefName,
  compareRefNames,
  isRefName,
  isWellFormedRefName,
  MAX_REF_COMPONENT_BYTES,
  MAX_REF_NAME_BYTES,
} from '../../src/refs/ref-name.ts'
import { tryGit } from '../support/git.ts'

/** Names made of the pieces that git's rules speak of, so that most of them are near a rule's edge. */
const edgyName = fc
  .array(
    fc.constantFrom(
      ...['refs', 'heads', 'a', 'é', '😀', '/', '/', '.', '..', '.lock', '@', '{', '@{', '-', '~', '^', ':'],
      ...['?', '*', '[', ']', '\\', ' ', '\t', '\x7f', '\x01', '\n', '}', '#', 'lock', 'HEAD', '\u0080'],
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''))
  // The command would take it for an option.
  .filter((name) => !name.startsWith('-'))

describe('ref names', () => {
  test('names are well-formed exactly when git check-ref-format says so', async () => {
    const fixed = [
      'a',
      'a/b',
      '@',
      '@/a',
      'a/@',
      'refs/heads/x.lock',
      'refs/x.lock/y',
      'refs/x.lockk/y',
      'a./b',
      'a/b.',
    ]
    const drawn = fc.sample(edgyName, { numRuns: 250, seed: 7 })
    const names = [...new Set([...fixed, ...drawn])]
    const verdict = async (name: string, flags: string[]): Promise<boolean> =>
      (await tryGit(['check-ref-format', ...flags, name])).code === 0
    for (let at = 0; at < names.length; at += 16) {
      await Promise.all(
        names.slice(at, at + 16).map(async (name) => {
          expect([name, isWellFormedRefName(name)]).toEqual([name, await verdict(name, [])])
          const allowOneLevel = await verdict(name, ['--allow-onelevel'])
          expect([name, isWellFormedRefName(name, { allowOneLevel: true })]).toEqual([name, allowOneLevel])
        }),
      )
    }
  })

  test('only HEAD and names under refs/ may be stored', () => {
    expect(['HEAD', 'refs/heads/main', 'refs/notes/é', 'refs/for/a'].every(isRefName)).toBe(true)
    for (const name of [
      '',
      'main',
      'heads/main',
      'refs',
      'refs/',
      'HEAD/x',
      'config',
      'FETCH_HEAD',
      'refs/../config',
    ]) {
      expect([name, isRefName(name)]).toEqual([name, false])
    }
  })

  test('text that is not well-formed Unicode is no ref name', () => {
    expect(isRefName('refs/heads/\ud83d')).toBe(false)
    expect(isRefName('refs/heads/\ude00\ud83d')).toBe(false)
    expect(isRefName('refs/heads/\ud83d\ude00')).toBe(true)
  })

  test('length is limited in bytes, for the whole and for each part', () => {
    const part = 'é'.repeat(MAX_REF_COMPONENT_BYTES / 2)
    expect(isRefName(`refs/${part}`)).toBe(true)
    expect(isRefName(`refs/${part}a`)).toBe(false)
    const fill = (bytes: number): string => `refs/${'a/'.repeat((bytes - 5) >> 1)}`.padEnd(bytes, 'b')
    expect(fill(MAX_REF_NAME_BYTES)).toHaveLength(MAX_REF_NAME_BYTES)
    expect(isRefName(fill(MAX_REF_NAME_BYTES))).toBe(true)
    expect(isRefName(`${fill(MAX_REF_NAME_BYTES)}b`)).toBe(false)
  })

  test('a refused name is told with the rule it breaks', () => {
    const caught = (name: string): unknown => {
      try {
        assertRefName(name)
        return undefined
      } catch (error) {
        return error
      }
    }
    expect(caught('refs/heads/main')).toBeUndefined()
    const error = caught('refs/heads/a..b')
    expect(isGitError(error, 'INVALID_REF_NAME')).toBe(true)
    expect(String(error)).toContain('check-ref-format')
    expect(String(caught('main'))).toContain("begins with 'refs/'")
  })

  test('names are ordered by their bytes in UTF-8', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u00e9', '\uff5e', '\ue000', '😀', '𐀀') })
    fc.assert(
      fc.property(text, text, (left, right) => {
        const byBytes = Math.sign(compareBytes(encodeUtf8(left), encodeUtf8(right)))
        expect(Math.sign(compareRefNames(left, right))).toBe(byBytes)
      }),
    )
  })
})
