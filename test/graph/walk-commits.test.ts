import { describe, expect, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { CommitTable } from '../../src/graph/commit-table.ts'
import { allReach, findReached, isAncestor } from '../../src/graph/reaches.ts'
import { walkCommits } from '../../src/graph/walk-commits.ts'
import { gitLines, tryGit } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom, type Random } from '../support/random.ts'
import { closure, createRandomDag, type RandomDag } from './random-dag.ts'
import { openViewOf, WAYS } from './views.ts'

const scratch = useScratch()
const DATES = ['forwards', 'equal', 'skewed'] as const
const dags = new Map<string, Promise<RandomDag>>()

function dagOf(dates: (typeof DATES)[number]): Promise<RandomDag> {
  const made = dags.get(dates) ?? createRandomDag(scratch.fresh(dates), 7, 160, dates)
  dags.set(dates, made)
  return made
}

function pickSome(random: Random, ids: readonly string[], most: number): string[] {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(ids))
}

describe.each(WAYS)('in a repository %s', (way) => {
  describe.each(DATES)('whose dates run %s', (dates) => {
    test('walkCommits finds what is included and not excluded, and the boundary', async () => {
      const dag = await dagOf(dates)
      const view = await openViewOf(dag.path, way)
      const random = createRandom(3)
      for (let round = 0; round < 150; round++) {
        const include = [random.pick(dag.ids), ...pickSome(random, dag.ids, 2)]
        const exclude = pickSome(random, dag.ids, 3)
        const table = new CommitTable(view)
        const ordinals = (ids: readonly string[]): number[] => ids.map((id) => table.add(parseHex(id)))
        const range = await walkCommits(table, ordinals(include), ordinals(exclude))
        const found = new Set(range.commits.map((commit) => table.hexId(commit)))
        expect(found.size).toBe(range.commits.length)
        const excluded = closure(dag, exclude)
        const included = closure(dag, include)
        const exact = [...included].filter((id) => !excluded.has(id))
        expect(exact.filter((id) => !found.has(id))).toEqual([])
        expect([...found].filter((id) => !included.has(id))).toEqual([])
        if (dates !== 'skewed') expect(found.size).toBe(exact.length)
        for (const commit of range.boundary) {
          const id = table.hexId(commit)
          expect(excluded.has(id)).toBe(true)
          expect([...found].some((child) => dag.parents.get(child)?.includes(id))).toBe(true)
        }
        if (dates !== 'skewed') {
          const edge = [...found].flatMap((id) => dag.parents.get(id) ?? []).filter((id) => !found.has(id))
          expect(new Set(range.boundary.map((commit) => table.hexId(commit)))).toEqual(new Set(edge))
        }
      }
    })

    test('isAncestor, allReach and findReached follow parents and nothing else', async () => {
      const dag = await dagOf(dates)
      const view = await openViewOf(dag.path, way)
      const random = createRandom(4)
      for (let round = 0; round < 200; round++) {
        const [one, two] = [random.pick(dag.ids), random.pick(dag.ids)]
        const reached = closure(dag, [two]).has(one)
        expect(await isAncestor(view, parseHex(one), parseHex(two))).toBe(reached)
        const from = pickSome(random, dag.ids, 3)
        const targets = pickSome(random, dag.ids, 3)
        const reach = from.every((id) => targets.some((target) => closure(dag, [id]).has(target)))
        const table = new CommitTable(view)
        const starts = from.map((id) => table.add(parseHex(id)))
        await table.load(starts)
        const isGoal: boolean[] = []
        for (const target of targets) isGoal[table.add(parseHex(target))] = true
        const oldest = Math.min(...targets.map((target) => dag.times.get(target) ?? 0))
        const answer = await allReach(table, starts, { isGoal, oldest })
        const found = await findReached(
          table,
          starts,
          [...isGoal.keys()].filter((commit) => isGoal[commit]),
        )
        const behind = targets.filter((target) => from.some((id) => closure(dag, [id]).has(target)))
        expect([...found].map((commit) => table.hexId(commit)).sort()).toEqual([...new Set(behind)].sort())
        // With wrong dates the answer may be no where it is yes: the client then says more of what it has.
        if (dates === 'skewed') expect(!answer || reach).toBe(true)
        else expect(answer).toBe(reach)
      }
    })

    test('walkCommits with since and isAncestor agree with git', async () => {
      const dag = await dagOf(dates)
      const view = await openViewOf(dag.path, way)
      const random = createRandom(5)
      for (let round = 0; round < 8; round++) {
        const [tip, other] = [random.pick(dag.ids), random.pick(dag.ids)]
        const since = dag.times.get(random.pick(dag.ids)) ?? 0
        const table = new CommitTable(view)
        const { commits } = await walkCommits(table, [table.add(parseHex(tip))], [], { since })
        const listed = await gitLines(['rev-list', `--max-age=${since}`, tip], { cwd: dag.path })
        expect(commits.map((commit) => table.hexId(commit)).sort()).toEqual(listed.sort())
        const { code } = await tryGit(['merge-base', '--is-ancestor', other, tip], { cwd: dag.path })
        expect(await isAncestor(view, parseHex(other), parseHex(tip))).toBe(code === 0)
      }
    })

    test('shallow commits have no parents', async () => {
      const dag = await dagOf(dates)
      const view = await openViewOf(dag.path, way)
      const random = createRandom(6)
      for (let round = 0; round < 30; round++) {
        const shallow = new Set(pickSome(random, dag.ids, 12))
        const cut: RandomDag = {
          ...dag,
          parents: new Map([...dag.parents].map(([id, parents]) => [id, shallow.has(id) ? [] : parents])),
        }
        const tip = random.pick(dag.ids)
        const table = new CommitTable(view, shallow)
        const { commits } = await walkCommits(table, [table.add(parseHex(tip))], [])
        expect(new Set(commits.map((commit) => table.hexId(commit)))).toEqual(closure(cut, [tip]))
        const other = random.pick(dag.ids)
        const reached = closure(cut, [tip]).has(other)
        expect(await isAncestor(view, parseHex(other), parseHex(tip), shallow)).toBe(reached)
      }
    })
  })

  test('what is absent or no commit is named', async () => {
    const dag = await dagOf('forwards')
    const view = await openViewOf(dag.path, way)
    const tip = dag.ids[9]!
    const absent = '12'.repeat(20)
    const blob = (await gitLines(['rev-parse', `${tip}^{tree}`], { cwd: dag.path }))[0]!
    await expect(isAncestor(view, parseHex(absent), parseHex(tip))).rejects.toThrow(
      gitError('MISSING_OBJECT', absent),
    )
    await expect(isAncestor(view, parseHex(blob), parseHex(tip))).rejects.toThrow(
      gitError('CORRUPT_OBJECT', blob),
    )
    const table = new CommitTable(view)
    const start = table.add(parseHex(tip))
    await table.load([start])
    expect(await allReach(table, [start], { isGoal: [], oldest: Infinity })).toBe(false)
    expect(await allReach(table, [], { isGoal: [], oldest: Infinity })).toBe(true)
  })
})
