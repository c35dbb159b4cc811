import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { deepen, INFINITE_DEPTH, type DeepenRequest } from '../../src/graph/deepen.ts'
import { git, gitLines, tryGit } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { createRandomDag, type RandomDag } from './random-dag.ts'
import { openViewOf, WAYS } from './views.ts'

const scratch = useScratch()
let made: Promise<RandomDag> | undefined

/** A history whose tips are three branches. */
function dag(): Promise<RandomDag> {
  made ??= (async () => {
    const full = await createRandomDag(scratch.fresh('deepen'), 11, 90, 'forwards')
    const kept = [89, 80, 40].map((number) => `refs/heads/c${number}`)
    const refs = await gitLines(['for-each-ref', '--format=%(refname)'], { cwd: full.path })
    const dropped = refs.filter((ref) => !kept.includes(ref)).map((ref) => `delete ${ref}\n`)
    await git(['update-ref', '--stdin'], { cwd: full.path, input: dropped.join('') })
    return full
  })()
  return made
}

/** The boundary of a client's repository. */
async function readShallow(client: string): Promise<string[]> {
  const text = await readFile(`${client}/shallow`, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

/** What git makes of a clone, and then of fetches by it: the boundary after each. */
async function shallowByGit(path: string, steps: readonly (readonly string[])[]): Promise<string[][]> {
  const client = scratch.fresh('client')
  const boundaries: string[][] = []
  for (const [at, args] of steps.entries()) {
    if (at === 0)
      await git(['clone', '-q', '--bare', '--no-single-branch', ...args, `file://${path}`, client])
    else await git(['fetch', '-q', 'origin', '+refs/heads/*:refs/heads/*', ...args], { cwd: client })
    boundaries.push(await readShallow(client))
  }
  return boundaries
}

describe.each(WAYS)('deepen, in a repository %s', (way) => {
  /** Boundaries after each request, as a client keeps them. */
  async function shallowByUs(
    requests: readonly Omit<DeepenRequest, 'wants' | 'clientShallow'>[],
  ): Promise<string[][]> {
    const { path, ids } = await dag()
    const view = await openViewOf(path, way)
    const wants = [ids[89]!, ids[80]!, ids[40]!]
    let boundary: string[] = []
    const boundaries: string[][] = []
    for (const request of requests) {
      const { shallow, unshallow } = await deepen(view, { ...request, wants, clientShallow: boundary })
      for (const id of unshallow) expect(boundary).toContain(id)
      for (const id of shallow) expect(boundary).not.toContain(id)
      boundary = [...boundary.filter((id) => !unshallow.includes(id)), ...shallow].sort()
      boundaries.push(boundary)
    }
    return boundaries
  }

  test.each([1, 2, 3, 5, 9, 30, 1000])('depth %i gives the boundary of git clone --depth', async (depth) => {
    const { path } = await dag()
    expect(await shallowByUs([{ depth }])).toEqual(await shallowByGit(path, [[`--depth=${depth}`]]))
  })

  test('depths one after the other give the boundaries of git fetch --depth, deeper and shallower', async () => {
    const { path } = await dag()
    const depths = [2, 4, 3, 9, 1]
    const byGit = await shallowByGit(
      path,
      depths.map((depth) => [`--depth=${depth}`]),
    )
    expect(await shallowByUs(depths.map((depth) => ({ depth })))).toEqual(byGit)
  })

  test('relative depths give the boundaries of git fetch --deepen', async () => {
    const { path } = await dag()
    const byGit = await shallowByGit(path, [['--depth=2'], ['--deepen=1'], ['--deepen=3'], ['--deepen=100']])
    const relative = true
    const steps = [{ depth: 2 }, { depth: 1, relative }, { depth: 3, relative }, { depth: 100, relative }]
    expect(await shallowByUs(steps)).toEqual(byGit)
  })

  test('a relative depth leaves a complete clone complete, as git does', async () => {
    const { path } = await dag()
    const client = scratch.fresh('complete')
    await git(['clone', '-q', '--bare', `file://${path}`, client])
    await tryGit(['fetch', '-q', '--deepen=1', 'origin', '+refs/heads/*:refs/heads/*'], { cwd: client })
    expect([await readShallow(client)]).toEqual(await shallowByUs([{ depth: 1, relative: true }]))
  })

  test('an infinite depth takes the boundary away, as git fetch --unshallow does', async () => {
    const { path } = await dag()
    const byGit = await shallowByGit(path, [['--depth=3'], ['--unshallow']])
    expect(byGit[1]).toEqual([])
    expect(await shallowByUs([{ depth: 3 }, { depth: INFINITE_DEPTH }])).toEqual(byGit)
  })

  test('since gives the boundary of git clone --shallow-since', async () => {
    const { path, ids, times } = await dag()
    const random = createRandom(2)
    for (let round = 0; round < 3; round++) {
      const since = times.get(ids[random.below(85)]!)! - random.below(2)
      expect(await shallowByUs([{ since }])).toEqual(await shallowByGit(path, [[`--shallow-since=${since}`]]))
    }
  })

  test('not gives the boundary of git clone --shallow-exclude', async () => {
    const { path, ids } = await dag()
    const byGit = await shallowByGit(path, [['--shallow-exclude=refs/heads/c40']])
    expect(await shallowByUs([{ not: [ids[40]!] }])).toEqual(byGit)
  })

  test('a request that selects nothing is refused in the words of git', async () => {
    await expect(shallowByUs([{ since: 4_000_000_000 }])).rejects.toThrow(
      gitError('PROTOCOL', 'no commits selected'),
    )
  })
})
