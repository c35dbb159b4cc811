import { git, gitLines, tryGit, TEST_TIME } from '../support/git.ts'
import { createRandom } from '../support/random.ts'

/** How the dates of a history run. */
export type Dates = 'forwards' | 'equal' | 'skewed'

/** A history of random merges with a branch `c<number>` on every commit, and its graph as git tells it. */
export interface RandomDag {
  readonly path: string
  /** Ids by number of the commit. */
  readonly ids: readonly string[]
  readonly parents: ReadonlyMap<string, readonly string[]>
  /** Committer dates in seconds. */
  readonly times: ReadonlyMap<string, number>
}

/** Creates a bare repository at `path`: each commit writes a file or two, some in directories, some as they were before. */
export async function createRandomDag(
  path: string,
  seed: number,
  size: number,
  dates: Dates,
): Promise<RandomDag> {
  const random = createRandom(seed)
  await git(['init', '-q', '--bare', path])
  let stream = ''
  for (let commit = 0; commit < size; commit++) {
    const time =
      TEST_TIME +
      (dates === 'forwards' ? 60 * commit : dates === 'equal' ? 60 * (commit >> 3) : random.below(60 * size))
    const parents = new Set<number>()
    const width = commit === 0 || random.chance(0.04) ? 0 : random.chance(0.7) ? 1 : 2 + random.below(2)
    for (let count = width; count > 0; count--)
      parents.add(random.chance(0.75) ? Math.max(0, commit - 1 - random.below(5)) : random.below(commit))
    stream += `reset refs/heads/c${commit}\ncommit refs/heads/c${commit}\nmark :${commit + 1}\n`
    stream += `committer C O Mitter <committer@example.com> ${time} +0000\ndata 0\n`
    ;[...parents].forEach((parent, at) => (stream += `${at === 0 ? 'from' : 'merge'} :${parent + 1}\n`))
    for (let files = 1 + random.below(2); files > 0; files--) {
      const content = `content ${random.below(2 * size)}`
      const name = ['a', 'b/c', 'b/d', 'e/f/g', `e/h${random.below(4)}`][random.below(5)]!
      stream += `M 100644 inline ${name}\ndata ${content.length}\n${content}\n`
    }
    stream += '\n'
  }
  const args = ['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--date-format=raw']
  const made = await tryGit(args, { cwd: path, input: stream })
  if (made.code !== 0) throw new Error(made.stderr)
  const ids: string[] = []
  for (const line of await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: path })) {
    const [, number = '', id = ''] = /^refs\/heads\/c(\d+) (\w+)$/.exec(line) ?? []
    ids[Number(number)] = id
  }
  const parents = new Map<string, string[]>()
  const times = new Map<string, number>()
  for (const line of await gitLines(['log', '--all', '--format=%H %ct %P'], { cwd: path })) {
    const [id = '', time = '', ...of] = line.split(' ').filter((word) => word !== '')
    parents.set(id, of)
    times.set(id, Number(time))
  }
  return { path, ids, parents, times }
}

/** All commits that the tips reach, the slow way. */
export function closure({ parents }: RandomDag, tips: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const stack = [...tips]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    stack.push(...(parents.get(id) ?? []))
  }
  return seen
}
