import { GitError } from '../errors.ts'

/** Tells whether a ref is meant. */
export type RefMatcher = (name: string) => boolean

/**
 * Builds the test for patterns of full ref names. A pattern means the ref of its name and everything below it; `*` stands for any
 * characters but a slash, `**` for any characters. After `!` a pattern takes refs out again: the last one that matches decides.
 *
 * @throws GitError `INVALID_ARGUMENT` for a pattern that does not begin with `refs/`: it could never match.
 */
export function createRefMatcher(patterns: readonly string[]): RefMatcher {
  const rules = patterns.toReversed().map((pattern) => {
    const takesOut = pattern.startsWith('!')
    return { isMeant: !takesOut, expression: compilePattern(takesOut ? pattern.slice(1) : pattern) }
  })
  return (name) => rules.find(({ expression }) => expression.test(name))?.isMeant ?? false
}

function compilePattern(pattern: string): RegExp {
  if (!pattern.startsWith('refs/')) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `the ref pattern '${pattern}' matches nothing: expected one that begins with refs/, such as refs/heads/main`,
    )
  }
  const source = pattern
    .replace(/\/+$/, '')
    .split(/(\*+)/)
    .map((piece) => {
      if (piece.startsWith('*')) return piece.length === 1 ? '[^/]*' : '.*'
      return piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
    })
    .join('')
  return new RegExp(`^${source}(?:/|$)`, 's')
}
