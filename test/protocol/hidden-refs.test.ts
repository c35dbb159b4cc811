import { expect, it } from 'vitest'
import { createHiddenRefs } from '../../src/protocol/hidden-refs.ts'

it.each([
  [[], 'refs/heads/a', false],
  [['refs/heads'], 'refs/heads/a', true],
  [['refs/heads'], 'refs/heads', true],
  [['refs/heads'], 'refs/headstrong/a', false],
  [['refs/heads/'], 'refs/heads/a', true],
  [['refs/heads/a'], 'refs/heads/ab', false],
  [['refs/heads', '!refs/heads/a'], 'refs/heads/a', false],
  [['!refs/heads/a', 'refs/heads'], 'refs/heads/a', true],
  [['refs/heads', '!refs/heads/a', 'refs/heads/a/b'], 'refs/heads/a/b/c', true],
  [['^refs/heads'], 'refs/heads/a', true],
  [['^refs/heads', '!^refs/heads/a'], 'refs/heads/a', false],
  [['HEAD'], 'HEAD', true],
  [[''], 'refs/heads/a', false],
])('with the patterns %j the answer for %s is %s', (patterns, name, hidden) => {
  expect(createHiddenRefs(patterns)(name)).toBe(hidden)
})
