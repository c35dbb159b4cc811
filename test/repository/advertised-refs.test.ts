import { beforeAll, describe, expect, test } from 'vitest'
import type { ListAdvertisedRefsOptions } from '../../src/repository/advertised-refs.ts'
import { openOnDisk } from '../graph/views.ts'
import { createHistory } from '../support/histories.ts'
import { git, gitLines } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'

const scratch = useScratch()

/** Refs as `git ls-remote --symref` prints them. */
async function listByUs(path: string, options?: ListAdvertisedRefsOptions): Promise<string[]> {
  const repository = await openOnDisk(path)
  const view = await repository.openView()
  const refs = await repository.listAdvertisedRefs(view, options)
  await view.close()
  return refs.flatMap(({ name, id, peeled, symrefTarget }) => [
    ...(symrefTarget === undefined ? [] : [`ref: ${symrefTarget}\t${name}`]),
    `${id}\t${name}`,
    ...(peeled === undefined ? [] : [`${peeled}\t${name}^{}`]),
  ])
}

function listByGit(path: string, patterns: readonly string[] = []): Promise<string[]> {
  return gitLines(['-c', 'protocol.version=2', 'ls-remote', '--symref', `file://${path}`, ...patterns])
}

describe('advertised refs', () => {
  let path = ''

  beforeAll(async () => {
    path = await createHistory('odd-refs', scratch.fresh('refs'))
    const run = (...args: string[]): Promise<string> => git(args, { cwd: path })
    const [first = ''] = await gitLines(['for-each-ref', '--format=%(objectname)', '--count=1'], {
      cwd: path,
    })
    const commit = await run('rev-parse', `${first}^{}`)
    await run('update-ref', 'refs/heads/main', commit)
    await run('tag', '-a', '-m', 'annotated', 'x-annotated', commit)
    await run('tag', '-a', '-m', 'nested', 'x-nested', 'x-annotated')
    await run('tag', '-a', '-m', 'of a tree', 'x-of-a-tree', `${commit}^{tree}`)
    await run('symbolic-ref', 'refs/tags/x-latest', 'refs/tags/x-nested')
    await run('symbolic-ref', 'refs/aliases/latest', 'refs/tags/x-nested')
    await run('symbolic-ref', 'refs/aliases/dangling', 'refs/heads/nowhere')
    await run('symbolic-ref', 'refs/aliases/chain', 'refs/aliases/latest')
    await run('symbolic-ref', 'refs/aliases/circle', 'refs/aliases/elcric')
    await run('symbolic-ref', 'refs/aliases/elcric', 'refs/aliases/circle')
  })

  test.each(['loose', 'packed'])(
    'are those of git ls-remote, in its order, when they are %s',
    async (how) => {
      if (how === 'packed') await git(['pack-refs', '--all'], { cwd: path })
      // A chain of symbolic refs is named by its last link in git and by its first in ours: compare what they lead to.
      const plain = (lines: string[]): string[] =>
        lines.filter((line) => !line.startsWith('ref: ') || !line.includes('/aliases/'))
      expect(plain(await listByUs(path))).toEqual(plain(await listByGit(path)))
    },
  )

  test('are only those with the prefixes that are asked for, peeled all the same', async () => {
    const all = await listByGit(path)
    for (const prefixes of [
      ['refs/tags/'],
      ['refs/heads/ma'],
      ['HEAD'],
      ['refs/aliases/'],
      ['refs/aliases/', 'HEAD', 'refs/tags/x-n'],
      [],
    ]) {
      const names = (line: string): string => line.split('\t')[1] ?? ''
      const expected = all.filter((line) => prefixes.some((prefix) => names(line).startsWith(prefix)))
      const lines = (list: string[]): string[] => list.filter((line) => !line.startsWith('ref: '))
      expect(lines(await listByUs(path, { prefixes }))).toEqual(lines(expected))
    }
  })

  test('are not peeled when nobody asks', async () => {
    const lines = await listByUs(path, { peel: false })
    expect(lines.some((line) => line.endsWith('^{}'))).toBe(false)
    expect(lines.length).toBeGreaterThan(5)
  })

  test('have no HEAD while its branch is unborn, and HEAD by id when it is detached', async () => {
    const empty = scratch.fresh('unborn')
    await git(['init', '-q', '--bare', empty])
    expect(await listByUs(empty)).toEqual([])
    const repository = await openOnDisk(empty)
    expect(await repository.readHead()).toEqual({ kind: 'symbolic', target: 'refs/heads/main' })
    expect(await repository.resolveRef('HEAD')).toBeUndefined()
    const commit = await git(['rev-parse', 'refs/heads/main'], { cwd: path })
    await git(['update-ref', '--no-deref', 'HEAD', commit], { cwd: path })
    expect((await listByUs(path))[0]).toBe(`${commit}\tHEAD`)
  })
})
