import { describe, expect, it } from 'vitest'
import { createRefMatcher } from '../../src/refs/ref-pattern.ts'
import { gitError } from '../support/git-error.ts'

describe('a ref pattern', () => {
  it.each([
    ['refs/heads/main', ['refs/heads/main', 'refs/heads/main/below'], ['refs/heads/mainly', 'refs/heads']],
    ['refs/heads/', ['refs/heads/a', 'refs/heads/a/b', 'refs/heads'], ['refs/tags/a']],
    ['refs/*/v1', ['refs/tags/v1', 'refs/heads/v1/x'], ['refs/a/b/v1', 'refs/v1']],
    ['refs/heads/release-*', ['refs/heads/release-1', 'refs/heads/release-'], ['refs/heads/release']],
    ['refs/**/wip', ['refs/a/wip', 'refs/a/b/c/wip'], ['refs/wip2', 'refs/a/wip2']],
    ['refs/heads/a.b', ['refs/heads/a.b'], ['refs/heads/axb']],
    ['refs/heads/(a|b)', ['refs/heads/(a|b)'], ['refs/heads/a']],
  ])('%s', (pattern, meant, others) => {
    const matches = createRefMatcher([pattern])
    expect(meant.filter((name) => !matches(name))).toEqual([])
    expect(others.filter((name) => matches(name))).toEqual([])
  })

  it('takes refs out again after !, and the last one that matches decides', () => {
    const matches = createRefMatcher(['refs/heads', '!refs/heads/wip', 'refs/heads/wip/kept'])
    expect(['refs/heads/a', 'refs/heads/wip/kept'].every((name) => matches(name))).toBe(true)
    expect(matches('refs/heads/wip/b')).toBe(false)
  })

  it('means nothing when there is none', () => {
    expect(createRefMatcher([])('refs/heads/main')).toBe(false)
  })

  it('must begin with refs/', () => {
    expect(() => createRefMatcher(['main'])).toThrow(gitError('INVALID_ARGUMENT', "'main'"))
    expect(() => createRefMatcher(['!main'])).toThrow(gitError('INVALID_ARGUMENT'))
  })
})
