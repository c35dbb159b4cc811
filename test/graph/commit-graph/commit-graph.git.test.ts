import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeHex, parseHex } from '../../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { CommitGraph } from '../../../src/graph/commit-graph/commit-graph.ts'
import { encodeCommitGraph, type GraphCommits } from '../../../src/graph/commit-graph/encode-commit-graph.ts'
import { generationNumbers } from '../../../src/graph/commit-graph/generation-numbers.ts'
import { objectFormat, type ObjectFormat } from '../../../src/object/object-format.ts'
import { git, gitLines, TEST_TIME } from '../../support/git.ts'
import { gitError } from '../../support/git-error.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { plain } from '../../pack/git-packs.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const repositories = new Map<string, { path: string; format: ObjectFormat }>()

/** Commits whose dates run backwards, one of them by so much that it needs the table of large dates, and an octopus merge. */
async function createOddDates(path: string, format: 'sha1' | 'sha256'): Promise<void> {
  await git(['init', '-q', '--bare', `--object-format=${format}`, path])
  const tree = await git(['mktree'], { cwd: path, input: '' })
  const commit = (time: number, parents: readonly string[]): Promise<string> =>
    git(['commit-tree', '-m', `at ${time}`, ...parents.flatMap((id) => ['-p', id]), tree], {
      cwd: path,
      env: { GIT_COMMITTER_DATE: `@${time} +0000` },
    })
  const late = await commit(8_000_000_000, [])
  const early = await commit(1_000, [late])
  const side = await commit(TEST_TIME, [early])
  const other = await commit(TEST_TIME + 5, [early])
  const third = await commit(TEST_TIME - 5, [])
  const merge = await commit(TEST_TIME + 10, [side, other, third, early])
  const again = await commit(TEST_TIME + 11, [merge, side, third])
  await git(['update-ref', 'refs/heads/main', again], { cwd: path })
}

beforeAll(async () => {
  for (const name of ['merges', 'source-like'] as const) {
    const path = await createHistory(name, scratch.fresh(name), { scale: 0.3 })
    repositories.set(name, { path, format: objectFormat('sha1', codecs) })
  }
  for (const name of ['sha1', 'sha256'] as const) {
    const path = scratch.fresh(name)
    await createOddDates(path, name)
    repositories.set(`odd-dates-${name}`, { path, format: objectFormat(name, codecs) })
  }
})

/** The commits of a repository, as git lists them. */
async function listCommits(repository: string): Promise<GraphCommits> {
  const lines = await gitLines(['log', '--all', '--format=%H %T %ct %P'], { cwd: repository })
  const rows = lines
    .map((line) => line.trim().split(' '))
    .sort((left, right) => (left[0]! < right[0]! ? -1 : 1))
  const positions = new Map(rows.map(([id], k) => [id, k]))
  return {
    ids: parseHex(rows.map(([id]) => id).join('')),
    trees: parseHex(rows.map(([, tree]) => tree).join('')),
    parents: rows.map(([, , , ...parents]) => parents.map((parent) => positions.get(parent)!)),
    times: Float64Array.from(rows.map(([, , time]) => Number(time))),
  }
}

describe.each(['merges', 'source-like', 'odd-dates-sha1', 'odd-dates-sha256'])(
  'commit-graph of %s',
  (name) => {
    test('is the one that git writes, and git verifies it', async () => {
      const { path, format } = repositories.get(name)!
      const file = encodeCommitGraph(await listCommits(path), format)
      await git(['commit-graph', 'write', '--reachable'], { cwd: path })
      const place = join(path, 'objects/info/commit-graph')
      expect(file).toEqual(plain(await readFile(place)))
      await git(['commit-graph', 'verify'], { cwd: path })
    })

    test('of git reads as the commits it was made of', async () => {
      const { path, format } = repositories.get(name)!
      await git(['commit-graph', 'write', '--reachable'], { cwd: path })
      const graph = new CommitGraph(plain(await readFile(join(path, 'objects/info/commit-graph'))), format)
      const commits = await listCommits(path)
      const { levels, correctedDates } = generationNumbers(commits.parents, commits.times)
      expect(graph.commitCount).toBe(commits.parents.length)
      commits.parents.forEach((parents, k) => {
        const at = k * format.idLength
        expect(graph.find(commits.ids, at)).toBe(k)
        expect(graph.parents(k)).toEqual(parents)
        expect(encodeHex(graph.tree(k))).toBe(encodeHex(commits.trees, at, at + format.idLength))
        expect(graph.time(k)).toBe(commits.times[k])
        expect(graph.level(k)).toBe(levels[k])
        expect(graph.correctedDate(k)).toBe(correctedDates[k])
      })
      expect(graph.find(new Uint8Array(format.idLength))).toBe(-1)
    })
  },
)

test('a damaged commit-graph is refused', async () => {
  const { path, format } = repositories.get('merges')!
  const file = encodeCommitGraph(await listCommits(path), format)
  for (const at of [0, 4, 5, 6, 30, 1200, file.length - 1]) {
    const damaged = file.slice()
    damaged[at]! ^= 0x11
    expect(() => new CommitGraph(damaged, format)).toThrow(gitError('CORRUPT_INDEX'))
  }
  expect(() => new CommitGraph(file.subarray(0, 600), format)).toThrow(gitError('CORRUPT_INDEX'))
})
