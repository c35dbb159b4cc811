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
