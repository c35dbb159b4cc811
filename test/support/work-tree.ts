import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { git, TEST_TIME } from './git.ts'

/** A clone with a work tree, as somebody uses it. */
export interface WorkTree {
  readonly path: string
  git(...args: readonly string[]): Promise<string>
  /** Writes a file and commits it, a minute after the commit before; resolves with the commit's id. */
  commit(file: string, content: string): Promise<string>
}

/** Takes a path that holds a clone. Dates of its commits begin `minutes` after the test time. */
export function openWorkTree(path: string, minutes = 0): WorkTree {
  let time = TEST_TIME + 60 * minutes
  const run = (...args: readonly string[]): Promise<string> => git(args, { cwd: path })
  return {
    path,
    git: run,
    commit: async (file, content) => {
      await writeFile(join(path, file), content)
      await run('add', '--all')
      time += 60
      const date = `${time} +0000`
      await git(['commit', '--quiet', '-m', `write ${file}`], {
        cwd: path,
        env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      })
      return run('rev-parse', 'HEAD')
    },
  }
}

/** Clones with a work tree. */
export async function cloneWorkTree(
  url: string,
  path: string,
  args: readonly string[] = [],
  minutes = 0,
): Promise<WorkTree> {
  await git([...args, 'clone', '--quiet', url, path])
  return openWorkTree(path, minutes)
}
