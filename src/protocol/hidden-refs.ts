import type { GitConfig } from '../config/git-config.ts'
import { GitError } from '../errors.ts'

/** Tells whether a ref is hidden from the peer. */
export type HiddenRefs = (name: string) => boolean

/**
 * Builds the test for `transfer.hideRefs` and its kin (git-config): the last pattern that matches decides; `!` shows
 * again what an earlier one hides; a pattern matches the ref of its name and everything below it. `^` asks for the name
 * before a namespace is taken off, which here is the name.
 */
export function createHiddenRefs(patterns: readonly string[] = []): HiddenRefs {
  const rules = patterns.toReversed().map((pattern) => {
    const shows = pattern.startsWith('!')
    const path = pattern.slice(shows ? 1 : 0).replace(/^\^/, '')
    return { hides: !shows, path: path.replace(/\/+$/, '') }
  })
  return (name) => {
    const rule = rules.find(({ path }) => name === path || name.startsWith(`${path}/`))
    return rule?.hides ?? false
  }
}

/**
 * The patterns of `transfer.hideRefs` and of a service's own key, in the order of the file, which decides between them.
 *
 * @throws GitError `CORRUPT_CONFIG`
 */
export function listHiddenRefs(config: GitConfig, key: string): readonly string[] {
  return config.entries
    .filter((entry) => entry.key === 'transfer.hiderefs' || entry.key === key)
    .map(({ key: found, value, line }) => {
      if (value !== undefined) return value
      throw new GitError(
        'CORRUPT_CONFIG',
        `${found} has no value (line ${line}); expected a ref or a prefix of refs`,
      )
    })
}
