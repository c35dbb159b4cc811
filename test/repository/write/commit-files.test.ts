import { cp, mkdir, rm, symlink, writeFile, chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { FileChange } from '../../../src/repository/write/file-changes.ts'
import { commitFiles, type CommitFilesOptions } from '../../../src/repository/write/commit-files.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { createInMemory, openOnDisk } from '../../graph/views.ts'
import { git, TEST_TIME } from '../../support/git.ts'
import { gitError } from '../../support/git-error.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { findFaults, snapshotFiles } from '../../support/repositories.ts'

const scratch = useScratch()

const author = { name: 'A U Thor', email: 'author@example.com', time: TEST_TIME }
const committer = { name: 'C O Mitter', email: 'committer@example.com', time: TEST_TIME }

function commit(
  repository: Repository,
  changes: readonly FileChange[],
  more: Partial<CommitFilesOptions> = {},
) {
  return commitFiles(repository, { branch: 'main', changes, message: 'a change', author, committer, ...more })
}

async function createOnDisk(
  name: string,
): Promise<{ readonly path: string; readonly repository: Repository }> {
  const path = scratch.fresh(name)
  await git(['init', '-q', '--bare', path])
  return { path, repository: await openOnDisk(path) }
}

/** Does the same in a work tree with git, and gives the id of its commit. */
async function commitByGit(workTree: string, changes: readonly FileChange[]): Promise<string> {
  for (const change of changes) {
    const path = join(workTree, change.path)
    if ('delete' in change) await rm(path, { recursive: true })
    else if ('content' in change) {
      await mkdir(dirname(path), { recursive: true }).catch(async () => {
        await rm(dirname(path))
        await mkdir(dirname(path), { recursive: true })
      })
      await rm(path, { recursive: true, force: true })
      if (change.mode === '120000') await symlink(String(change.content), path)
      else await writeFile(path, change.content)
      if (change.mode === '100755') await chmod(path, 0o755)
    } else if (change.mode !== undefined) await chmod(path, change.mode === '100755' ? 0o755 : 0o644)
  }
  await git(['add', '-A'], { cwd: workTree })
  await git(['commit', '-q', '--allow-empty', '-m', 'a change'], { cwd: workTree })
  return git(['rev-parse', 'HEAD'], { cwd: workTree })
}

describe('committing files', () => {
  test('makes the commit that git makes of the same files, again and again, from an empty repository on', async () => {
    const { path, repository } = await createOnDisk('differential.git')
    const workTree = scratch.fresh('work')
    await git(['init', '-q', workTree])
    const rounds: readonly (readonly FileChange[])[] = [
      [
        { path: 'README.md', content: '# hello\n' },
        { path: 'src/a.ts', content: 'export {}\n' },
        { path: 'src/deep/er/b.ts', content: new Uint8Array([0, 1, 2, 255]) },
        { path: 'run.sh', content: '#!/bin/sh\n', mode: '100755' },
        { path: 'link', content: 'README.md', mode: '120000' },
        { path: 'ünï/cödé', content: 'names\n' },
      ],
      [
        { path: 'src/a.ts', content: 'export const a = 1\n' },
        { path: 'src/deep/er/b.ts', delete: true },
        { path: 'README.md', mode: '100755' },
        { path: 'src.txt', content: 'sorts between\n' },
      ],
      [
        { path: 'src', content: 'now a file\n' },
        { path: 'src.txt/inside', content: 'now a directory\n' },
      ],
      [
        { path: 'ünï', delete: true },
        { path: 'run.sh', content: 'still executable\n', mode: '100755' },
      ],
    ]
    for (const changes of rounds) {
      const expected = await commitByGit(workTree, changes)
      const outcome = await commit(repository, changes)
      expect(outcome).toMatchObject({
        kind: 'committed',
        commit: expected,
        tree: await git(['rev-parse', 'HEAD^{tree}'], { cwd: workTree }),
        ref: 'refs/heads/main',
      })
      expect(await git(['rev-parse', 'main'], { cwd: path })).toBe(expected)
    }
    expect(await findFaults(path)).toEqual([])
  })

  test('keeps what it does not name, in a repository that git made', async () => {
    const path = await createHistory('odd-names', scratch.fresh('odd.git'))
    const copy = scratch.fresh('copy.git')
    await cp(path, copy, { recursive: true })
    const repository = await openOnDisk(path)
    const outcome = await commit(repository, [{ path: 'new/file', content: 'x' }])
    expect(outcome.kind).toBe('committed')
    const changed = await git(['diff-tree', '-r', '--name-status', 'main~1', 'main'], { cwd: path })
    expect(changed).toBe('A\tnew/file')
    const before = await git(['rev-parse', 'main'], { cwd: copy })
    expect(await git(['rev-parse', 'main~1'], { cwd: path })).toBe(before)
  })

  test('reuses blobs that are there by their id', async () => {
    const { path, repository } = await createOnDisk('reuse.git')
    await commit(repository, [{ path: 'a', content: 'bytes', mode: '100755' }])
    const blob = await git(['rev-parse', 'main:a'], { cwd: path })
    await commit(repository, [
      { path: 'a', delete: true },
      { path: 'b/c', blob },
    ])
    expect(await git(['ls-tree', '-r', 'main'], { cwd: path })).toBe(`100644 blob ${blob}\tb/c`)
    const absent = await commit(repository, [{ path: 'd', blob: '1'.repeat(40) }])
    expect(absent).toEqual({ kind: 'not-found', path: 'd' })
  })

  test('moves the branch only from where it is expected', async () => {
    const { repository } = await createOnDisk('expected.git')
    const first = await commit(repository, [{ path: 'a', content: '1' }], { expectedHead: null })
    if (first.kind !== 'committed') throw new Error(first.kind)
    expect(await commit(repository, [{ path: 'a', content: '2' }], { expectedHead: null })).toEqual({
      kind: 'stale',
      found: first.commit,
    })
    const wrong = await commit(repository, [{ path: 'a', content: '2' }], { expectedHead: '1'.repeat(40) })
    expect(wrong).toEqual({ kind: 'stale', found: first.commit })
    const second = await commit(repository, [{ path: 'a', content: '2' }], { expectedHead: first.commit })
    expect(second).toMatchObject({ kind: 'committed', before: first.commit })
    expect(
      await commit(repository, [{ path: 'x', content: '' }], { branch: 'y', expectedHead: first.commit }),
    ).toEqual({ kind: 'stale', found: null })
  })

  test('loses nothing when many commit to one branch at the same time', async () => {
    const repository = await createInMemory()
    const names = Array.from({ length: 8 }, (_, at) => `file-${at}`)
    const outcomes = await Promise.all(names.map((path) => commit(repository, [{ path, content: path }])))
    expect(outcomes.map(({ kind }) => kind)).toEqual(names.map(() => 'committed'))
    const last = await commit(
      repository,
      names.map((path) => ({ path, delete: true })),
    )
    expect(last).toMatchObject({ kind: 'committed', tree: '4b825dc642cb6eb9a060e54bf8d69288fbee4904' })
  })

  test('has one winner where both expect the same head', async () => {
    const repository = await createInMemory()
    await commit(repository, [{ path: 'a', content: '0' }])
    const head = await repository.resolveRef('refs/heads/main')
    if (head === undefined) throw new Error('there is no head')
    const race = [1, 2, 3, 4].map((at) =>
      commit(repository, [{ path: 'a', content: String(at) }], { expectedHead: head }),
    )
    const kinds = (await Promise.all(race)).map(({ kind }) => kind).sort()
    expect(kinds).toEqual(['committed', 'stale', 'stale', 'stale'])
  })

  test('begins a new branch at another commit, and says when nothing would change', async () => {
    const { path, repository } = await createOnDisk('branches.git')
    const first = await commit(repository, [{ path: 'a', content: '1' }])
    if (first.kind !== 'committed') throw new Error(first.kind)
    const topic = await commit(repository, [{ path: 'b', content: '2' }], {
      branch: 'refs/heads/topic',
      startPoint: first.commit,
    })
    expect(topic).toMatchObject({ kind: 'committed', before: null })
    expect(await git(['rev-list', '--count', 'topic'], { cwd: path })).toBe('2')
    expect(await commit(repository, [{ path: 'a', content: '1' }])).toEqual({
      kind: 'unchanged',
      head: first.commit,
    })
    const empty = await commit(repository, [], { allowEmpty: true })
    expect(empty).toMatchObject({ kind: 'committed', tree: first.tree })
    expect(await commit(repository, [{ path: 'a', content: '1' }], { branch: 'main/sub' })).toEqual({
      kind: 'name-conflict',
      conflictsWith: 'refs/heads/main',
    })
    expect(await commit(repository, [{ path: 'gone', delete: true }])).toEqual({
      kind: 'not-found',
      path: 'gone',
    })
  })

  test('refuses paths, modes, people and names that git would not have, and leaves nothing behind', async () => {
    const { path, repository } = await createOnDisk('refused.git')
    await commit(repository, [{ path: 'a', content: '1' }])
    const before = await snapshotFiles(path)
    const paths = [
      '',
      '/a',
      'a/',
      'a//b',
      './a',
      'a/../b',
      '.git/config',
      '.GIT/x',
      'git~1',
      'x\0y',
      'x\\.git\\y',
    ]
    paths.push('.g\u200cit/config', '\ud800')
    for (const bad of paths) {
      await expect(commit(repository, [{ path: bad, content: 'x' }])).rejects.toThrow(
        gitError('INVALID_ARGUMENT'),
      )
    }
    const twice = [
      { path: 'd/e', content: '1' },
      { path: 'd', content: '2' },
    ]
    await expect(commit(repository, twice)).rejects.toThrow(gitError('INVALID_ARGUMENT'))
    await expect(commit(repository, twice.toReversed())).rejects.toThrow(gitError('INVALID_ARGUMENT'))
    await expect(
      commit(repository, [{ path: 'x', content: '', mode: '040000' as '100644' }]),
    ).rejects.toThrow(gitError('INVALID_ARGUMENT', '040000'))
    await expect(commit(repository, [{ path: '.gitmodules', content: 'x', mode: '120000' }])).rejects.toThrow(
      gitError('FSCK', 'gitmodulesSymlink'),
    )
    await expect(
      commit(repository, [{ path: 'x', content: 'y' }], { author: { name: 'A <x>', email: 'a@b' } }),
    ).rejects.toThrow(gitError('INVALID_ARGUMENT'))
    await expect(commit(repository, [{ path: 'x', content: '' }], { branch: 'a..b' })).rejects.toThrow(
      gitError('INVALID_REF_NAME'),
    )
    await expect(commit(repository, [{ path: 'x', content: '12345' }], { maxFileBytes: 4 })).rejects.toThrow(
      gitError('LIMIT_EXCEEDED', "'x'"),
    )
    expect(await snapshotFiles(path)).toEqual(before)
  })
})
