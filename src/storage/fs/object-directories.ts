import { isAbsolute, join, resolve } from 'node:path'
import { decodeUtf8 } from '../../bytes/text.ts'
import { isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import { readFileIfThere } from './git-directory.ts'

/** How deep alternates of alternates are followed; git has the same limit. */
const MAX_DEPTH = 6

/**
 * Lists the directories that hold a repository's objects: its own first, then its alternates, each once. One that is
 * not there is left out, as git does.
 *
 * @param own the repository's own `objects` directory.
 */
export async function listObjectDirectories(fs: FileSystem, own: string): Promise<string[]> {
  const listed: string[] = []
  const seen = new Set<string>()
  const add = async (path: string, depth: number): Promise<void> => {
    const real = await realDirectory(fs, path)
    if (real === undefined || seen.has(real)) return
    seen.add(real)
    listed.push(depth === 0 ? path : real)
    if (depth >= MAX_DEPTH) return
    const file = await readFileIfThere(fs, join(path, 'info', 'alternates'))
    for (const alternate of parseAlternates(decodeUtf8(file ?? new Uint8Array(0)))) {
      await add(isAbsolute(alternate) ? alternate : resolve(real, alternate), depth + 1)
    }
  }
  await add(own, 0)
  return listed
}

/**
 * Parses an `info/alternates` file: a path on each line, `#` before a comment, paths with unusual bytes in double
 * quotes with C escapes (gitrepository-layout). A malformed quoted line is taken as it is.
 */
export function parseAlternates(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => (line.startsWith('"') ? (unquotePath(line) ?? line) : line))
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
}

/** Takes off the quotes of a path in C style; undefined when it is not quoted properly. Octal escapes are bytes. */
function unquotePath(line: string): string | undefined {
  if (!/^"(?:[^"\\]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*"$/.test(line)) return undefined
  const bytes: number[] = []
  for (const [, octal, escape, plain = ''] of line
    .slice(1, -1)
    .matchAll(/\\([0-3][0-7]{2})|\\(.)|([^\\]+)/gs)) {
    if (octal !== undefined) bytes.push(parseInt(octal, 8))
    else if (escape !== undefined) bytes.push(ESCAPES[escape] ?? 0)
    else bytes.push(...Buffer.from(plain))
  }
  return decodeUtf8(Uint8Array.from(bytes))
}

async function realDirectory(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    const real = await fs.realpath(path)
    return (await fs.stat(real)).isDirectory() ? real : undefined
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
