import { describe, expect, test } from 'vitest'
import { parseHex } from '../../../src/bytes/hex.ts'
import { encodeEscapedText } from '../../../src/object/escaped-text.ts'
import { diffTrees, type DiffEntry } from '../../../src/repository/read/diff-trees.ts'
import { findMergeBases } from '../../../src/repository/read/merge-bases.ts'
import { FastImport } from '../../support/fast-import.ts'
import { git, gitBytes, gitLines, tryGit } from '../../support/git.ts'
import { createHistory, type HistoryName } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { createRandom } from '../../support/random.ts'
import { openOnDisk } from '../../graph/views.ts'

const scratch = useScratch()

/** The differences as `git diff-tree -r` prints them. */
function formatEntry({ path, status, old, new: now }: DiffEntry): string {
  const letter = { added: 'A', deleted: 'D', modified: 'M', 'type-changed': 'T' }[status]
  const side = (one: DiffEntry['old']): [string, string] => [
    (one?.mode ?? 0).toString(8).padStart(6, '0'),
    one?.id ?? '0'.repeat(40),
  ]
  const [before, after] = [side(old), side(now)]
  const name = Buffer.from(encodeEscapedText(path)).toString('latin1')
  return `:${before[0]} ${after[0]} ${before[1]} ${after[1]} ${letter}\0${name}`
}

async function listByGit(path: string, left: string, right: string): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '--no-renames', left, right]
  const output = (await gitBytes(args, { cwd: path })).toString('latin1')
  return output.match(/:[^\0]*\0[^\0]*(?=\0)/g) ?? []
}

describe('the difference of two trees', () => {
  test.each<HistoryName>(['source-like', 'renames', 'odd-names', 'wide-tree'])(
    'is what git finds, between any two commits of %s',
    async (name) => {
      const path = await createHistory(name, scratch.fresh(`${name}.git`))
      const repository = await openOnDisk(path)
      const view = await repository.openView()
      const trees = [...new Set(await gitLines(['log', '--all', '--format=%T'], { cwd: path }))]
      const random = createRandom(7)
      const pairs = Array.from({ length: 12 }, () => [random.pick(trees), random.pick(trees)] as const)
      let seen = 0
      for (const [left, right] of pairs) {
        const diff = await diffTrees(view, parseHex(left), parseHex(right))
        const expected = await listByGit(path, left, right)
        seen += expected.length
        expect(diff.entries.map(formatEntry)).toEqual(expected)
        expect(diff.isTruncated).toBe(false)
      }
      expect(seen).toBeGreaterThan(0)
      await view.close()
    },
  )

  test('tells files that become directories, links and submodules, and modes', async () => {
    const path = scratch.fresh('kinds.git')
    await git(['init', '-q', '--bare', path])
    const stream = new FastImport()
    const ref = 'refs/heads/main'
    const write = (file: string, content: string, mode?: '100644' | '100755' | '120000') =>
      ({ kind: 'write', path: file, content, ...(mode === undefined ? {} : { mode }) }) as const
    const names = ['becomes-directory', 'becomes-link', 'becomes-module', 'becomes-executable', 'stays']
    stream.commit({ ref, changes: [...names.map((one) => write(one, 'x')), write('dir/a', '1')] })
    stream.commit({
      ref,
      changes: [
        { kind: 'delete', path: 'becomes-directory' },
        write('becomes-directory/inside', 'y'),
        write('becomes-link', 'x', '120000'),
        { kind: 'gitlink', path: 'becomes-module', id: '1'.repeat(40) },
        write('becomes-executable', 'x', '100755'),
        { kind: 'delete', path: 'dir' },
        write('dir', 'now a file'),
        write('dir.c', 'between'),
      ],
    })
    await stream.run(path)
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const [left = '', right = ''] = await gitLines(['rev-parse', 'main~1^{tree}', 'main^{tree}'], {
      cwd: path,
    })
    const diff = await diffTrees(view, parseHex(left), parseHex(right))
    expect(diff.entries.map(formatEntry)).toEqual(await listByGit(path, left, right))
    const all = await diffTrees(view, undefined, parseHex(right))
    const files = await gitLines(['ls-tree', '-r', '--name-only', right], { cwd: path })
    expect(all.entries.map((entry) => [entry.status, entry.path])).toEqual(
      files.map((file) => ['added', file]),
    )
    const some = await diffTrees(view, undefined, parseHex(right), { maxEntries: 2 })
    expect([some.entries.length, some.isTruncated]).toEqual([2, true])
    await view.close()
  })
})

describe('merge bases', () => {
  test('are those that git finds, in graphs with merges, criss-crosses, several roots and wrong dates', async () => {
    const path = scratch.fresh('bases.git')
    await git(['init', '-q', '--bare', path])
    const random = createRandom(3)
    const ids: string[] = []
    const empty = await git(['mktree'], { cwd: path, input: '' })
    for (let at = 0; at < 60; at++) {
      const parents = new Set<string>()
      const wanted = at % 17 === 0 ? 0 : 1 + random.below(2)
      for (let k = 0; k < wanted; k++) parents.add(random.pick(ids.slice(-6)))
      const time = 1_600_000_000 + (random.below(10) === 0 ? random.below(9000) : at * 60)
      const args = ['commit-tree', empty, '-m', `c${at}`, ...[...parents].flatMap((one) => ['-p', one])]
      ids.push(await git(args, { cwd: path, env: { GIT_COMMITTER_DATE: `${time} +0000` } }))
    }
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    let several = 0
    for (let k = 0; k < 60; k++) {
      const [left, right] = [random.pick(ids), random.pick(ids)]
      const { stdout } = await tryGit(['merge-base', '--all', left, right], { cwd: path })
      const expected = stdout
        .toString()
        .split('\n')
        .filter((line) => line !== '')
      if (expected.length > 1) several++
      const found = await findMergeBases(view, left, right)
      expect([left, right, [...found].sort()]).toEqual([left, right, expected.sort()])
    }
    expect(several).toBeGreaterThan(0)
    await view.close()
  })
})
