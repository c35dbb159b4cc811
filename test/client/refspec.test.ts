import { describe, expect, it } from 'vitest'
import { listStaleRefs, mapRefs, parseRefspec, prefixesOf } from '../../src/client/refspec.ts'
import { gitError } from '../support/git-error.ts'

const id = (digit: number): string => String(digit).repeat(40)
const REFS = [
  { name: 'HEAD', id: id(1) },
  { name: 'refs/heads/main', id: id(1) },
  { name: 'refs/heads/topic/a', id: id(2) },
  { name: 'refs/heads/v1', id: id(3) },
  { name: 'refs/pull/7/head', id: id(4) },
  { name: 'refs/tags/v1', id: id(5) },
]

function map(...specs: string[]): string[] {
  const isId = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)
  return mapRefs(specs.map(parseRefspec), REFS, isId).map(
    ({ remote, local, force, id: value }) => `${force ? '+' : ''}${remote ?? value}:${local ?? ''}`,
  )
}

describe('a refspec', () => {
  it.each([
    [
      '+refs/heads/*:refs/remotes/origin/*',
      [
        '+refs/heads/main:refs/remotes/origin/main',
        '+refs/heads/topic/a:refs/remotes/origin/topic/a',
        '+refs/heads/v1:refs/remotes/origin/v1',
      ],
    ],
    ['refs/heads/to*/a:refs/x/*/y', ['refs/heads/topic/a:refs/x/pic/y']],
    ['refs/pull/*/head:refs/remotes/pr/*', ['refs/pull/7/head:refs/remotes/pr/7']],
    ['main', ['refs/heads/main:']],
    ['main:refs/heads/copy', ['refs/heads/main:refs/heads/copy']],
    ['v1:refs/heads/copy', ['refs/tags/v1:refs/heads/copy']],
    ['heads/v1:refs/heads/copy', ['refs/heads/v1:refs/heads/copy']],
    ['+HEAD:refs/heads/copy', ['+HEAD:refs/heads/copy']],
    [`${id(9)}:refs/heads/copy`, [`${id(9)}:refs/heads/copy`]],
    ['refs/heads/none*:refs/x/*', []],
  ])('%s maps refs as git does', (spec, expected) => {
    expect(map(spec)).toEqual(expected)
  })

  it('with ^ leaves refs out of all the others', () => {
    expect(map('refs/heads/*:refs/x/*', '^refs/heads/v*', '^refs/heads/main')).toEqual([
      'refs/heads/topic/a:refs/x/topic/a',
    ])
  })

  it('may be repeated, but may not send two refs to one place', () => {
    expect(map('main:refs/x/a', 'refs/heads/main:refs/x/a')).toEqual(['refs/heads/main:refs/x/a'])
    expect(() => map('main:refs/x/a', 'v1:refs/x/a')).toThrow(
      gitError('INVALID_ARGUMENT', 'cannot fetch both'),
    )
  })

  it('whose source is missing is refused', () => {
    expect(() => map('nowhere')).toThrow(gitError('NOT_FOUND', 'nowhere'))
  })

  it.each([
    '',
    '+',
    ':refs/heads/a',
    'a:b:c',
    'a*b*c:refs/*',
    'refs/*:refs/x',
    'refs/x:refs/*',
    'a:heads/b',
    'a b',
    'a..b',
    '^a',
    '^refs/a:refs/b',
    'refs/heads/*:refs/a..b/*',
    'a:refs/b\n',
  ])('%j is refused', (spec) => {
    expect(() => parseRefspec(spec)).toThrow(gitError('INVALID_ARGUMENT'))
  })

  it('asks for the prefixes under which its refs are', () => {
    expect(prefixesOf(['refs/heads/*:refs/x/*', '^refs/heads/a'].map(parseRefspec))).toEqual(['refs/heads/'])
    expect(prefixesOf([parseRefspec('main')])).toContain('refs/heads/main')
  })
})

it('stale are refs that a pattern writes and whose source is gone', () => {
  const refspecs = ['refs/heads/*:refs/x/*', '^refs/heads/v1', 'main:refs/x/kept'].map(parseRefspec)
  const names = ['refs/x/main', 'refs/x/gone', 'refs/x/v1', 'refs/x/kept', 'refs/y/gone']
  expect(listStaleRefs(refspecs, REFS, names)).toEqual(['refs/x/gone'])
})
