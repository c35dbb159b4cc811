import { decodeLatin1 } from '../bytes/text.ts'
import { createWildmatch } from './wildmatch.ts'

/** What the patterns say of a path; `undefined` when none matches. */
export type PatternVerdict = boolean | undefined

/** The patterns of a sparse-checkout file. */
export interface SparsePatterns {
  /**
   * Whether the last pattern that matches chooses the path. Where none does, the directory's own verdict holds, and outside of
   * any, no.
   *
   * @param path from the root, without a slash at either end, one character to a byte; `''` is the root
   * @param name its last component
   */
  match(path: string, name: string, isDirectory: boolean): PatternVerdict
}

interface Pattern {
  readonly chooses: boolean
  readonly onlyDirectories: boolean
  readonly matches: (path: string, name: string) => boolean
}

/**
 * Parses a sparse-checkout file: patterns as in gitignore, where what matches is chosen (git-sparse-checkout, "Internals —
 * Full Pattern Set"). Files in cone mode are such patterns too.
 */
export function parseSparsePatterns(body: Uint8Array): SparsePatterns {
  const text = decodeLatin1(body).replace(/^\xef\xbb\xbf/, '')
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  const patterns = lines.flatMap((line) => parsePattern(line)).reverse()
  return {
    match: (path, name, isDirectory) =>
      patterns.find(
        ({ onlyDirectories, matches }) => (isDirectory || !onlyDirectories) && matches(path, name),
      )?.chooses,
  }
}

function parsePattern(line: string): readonly Pattern[] {
  if (line === '' || line.startsWith('#')) return []
  let text = trimTrailingSpaces(line)
  const chooses = !text.startsWith('!')
  if (!chooses) text = text.slice(1)
  const onlyDirectories = text.endsWith('/')
  if (onlyDirectories) text = text.slice(0, -1)
  return [{ chooses, onlyDirectories, matches: createMatcher(text) }]
}

/**
 * Without a slash a pattern is about names at any level; with one it is about whole paths, of which the root is none. As in git, what
 * precedes the first wildcard is compared as it is, and the wildcards begin anew behind it: `a**` followed by a slash crosses directories.
 */
function createMatcher(text: string): Pattern['matches'] {
  if (!text.includes('/')) {
    const wildmatch = isLiteral(text) ? undefined : createWildmatch(text, false)
    return wildmatch === undefined ? (_, name) => name === text : (_, name) => wildmatch(name)
  }
  const anchored = text.startsWith('/') ? text.slice(1) : text
  if (isLiteral(anchored)) return (path) => path !== '' && path === anchored
  const literal = /^[^*?[\\]*/.exec(anchored)?.[0] ?? ''
  const wildmatch = createWildmatch(anchored.slice(literal.length), true)
  return (path) => path !== '' && path.startsWith(literal) && wildmatch(path.slice(literal.length))
}

function isLiteral(text: string): boolean {
  return !/[*?[\\]/.test(text)
}

/** Spaces at the end of a line count only after a backslash. */
function trimTrailingSpaces(line: string): string {
  let end = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === ' ') continue
    if (line[at] === '\\') at++
    end = Math.min(at + 1, line.length)
  }
  return line.slice(0, end)
}
