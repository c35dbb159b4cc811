import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { gitLines, tryGit } from '../../support/git.ts'
import { edit, makeBare, mustOpen, temporaryDirectory, verdicts } from './fixture.ts'
import { packObjects, stagePack } from './pack-fixture.ts'
import { Stopped, stoppingFileSystem } from './stopping-file-system.ts'

const reflog = { identity: 'A U Thor <a@example.com>', time: 1600000000, timezone: 0, message: 'push' }

/** What git says the refs are, without trusting what we think of them. */
function gitRefs(path: string): Promise<string[]> {
  return gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: path })
}

/** All that makes up refs on disk, in one text: where it is equal, git says the same. */
async function refFiles(path: string): Promise<string> {
  const names = (await readdir(join(path, 'refs'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name))
  const files = [...names, join(path, 'packed-refs')].filter((name) => existsSync(name)).sort()
  return (
    await Promise.all(
      files.map(async (name) => `${name.slice(path.length)}\n${await readFile(name, 'latin1')}`),
    )
  ).join()
}

/** Names of files that are not in a repository at rest. */
async function debris(path: string): Promise<string[]> {
  const names = await readdir(path, { recursive: true })
  return names.filter((name) => /\.lock$|\.keep$|tmp_|\.new$|packed-refs\./.test(name))
}

/**
 * Kills a commit before each change it makes to the disk, each time on a fresh copy of the repository, and says which
 * states git found and what was left lying about.
 */
async function killEverywhere(
  template: string,
  work: (repository: RepositoryStorage) => Promise<unknown>,
): Promise<{ states: string[][]; debris: Set<string> }> {
  const folder = await temporaryDirectory()
  const states: string[][] = []
  const left = new Set<string>()
  const known = new Map<string, string[]>()
  for (let allowed = 0; ; allowed++) {
    const path = join(folder, `kill-${allowed}.git`)
    await cp(template, path, { recursive: true, preserveTimestamps: true })
    const { fileSystem, changes, close } = stoppingFileSystem(allowed)
    const repository = await mustOpen(path, { fileSystem, durable: false })
    const failure: unknown = await work(repository).then(
      () => undefined,
      (error: unknown) => error,
    )
    await close()
    const files = await refFiles(path)
    const state = known.get(files) ?? (await gitRefs(path))
    states.push(state)
    if (failure === undefined) {
      expect(changes()).toBe(allowed)
      expect(await debris(path)).toEqual([])
      return { states, debris: left }
    }
    expect(failure).toBeInstanceOf(Stopped)
    for (const name of await debris(path)) left.add(name.replace(/[0-9a-f]{40}/, '<id>'))
    if (!known.has(files)) await expectSoundAfterCleaning(path)
    known.set(files, state)
    await rm(path, { recursive: true })
  }
}

/** Once somebody has removed stale locks, git works on as if nothing had been. */
async function expectSoundAfterCleaning(path: string): Promise<void> {
  const before = await gitRefs(path)
  for (const name of await debris(path)) if (name.endsWith('.lock')) await rm(join(path, name))
  expect((await tryGit(['pack-refs', '--all', '--prune'], { cwd: path })).stderr).toBe('')
  expect(await gitRefs(path)).toEqual(before)
  expect((await tryGit(['fsck', '--strict'], { cwd: path })).code).toBe(0)
}

/** The first state and the last one, and nothing else: all or none. */
function expectTwoStates(states: readonly (readonly string[])[]): void {
  expect([...new Set(states.map((lines) => lines.join('\n')))]).toEqual([
    states[0]?.join('\n'),
    states.at(-1)?.join('\n'),
  ])
}

describe('an atomic transaction that is killed', () => {
  test.each(['loose', 'packed', 'both'])('moves all refs or none, from refs that are %s', async (form) => {
    const bare = await makeBare({ config: ['core.logAllRefUpdates=true'] })
    const [one = '', two = '', three = ''] = bare.ids
    const names = ['refs/heads/a', 'refs/heads/b/c', 'refs/heads/gone', 'refs/heads/quiet']
    for (const name of names) await bare.git('update-ref', name, one)
    if (form !== 'loose') await bare.git('pack-refs', '--all')
    if (form === 'both') for (const name of names) await bare.git('update-ref', name, three)
    const refs: RefEdit[] = [
      { ...edit('refs/heads/a', two), reflog },
      { ...edit('refs/heads/b/c', two), reflog },
      { ...edit('refs/heads/gone', null), reflog },
      { ...edit('refs/heads/new/born', two, { kind: 'absent' }), reflog },
    ]
    const { states, debris: left } = await killEverywhere(bare.path, (repository) =>
      verdicts(repository, refs, true),
    )
    expectTwoStates(states)
    expect(states.at(-1)).toHaveLength(4)
    for (const name of left) expect(name).toMatch(/\.lock$/)
  })

  test('of deletions alone deletes all or none', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    for (const name of ['a', 'b', 'c']) await bare.git('update-ref', `refs/heads/${name}`, one)
    const refs = ['a', 'b', 'c'].map((name) => edit(`refs/heads/${name}`, null))
    const { states } = await killEverywhere(bare.path, (repository) => verdicts(repository, refs, true))
    expectTwoStates(states)
    expect(states.at(-1)).toEqual([])
  })

  test('of one ref, loose and packed, is deleted or not', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('pack-refs', '--all')
    await bare.git('update-ref', 'refs/heads/a', two)
    const { states } = await killEverywhere(bare.path, (repository) =>
      verdicts(repository, [edit('refs/heads/a', null)]),
    )
    expectTwoStates(states)
  })
})

describe('edits that stand alone and are killed', () => {
  test('leave each ref at its old or its new value', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('update-ref', 'refs/heads/b', one)
    const refs = [edit('refs/heads/a', two), edit('refs/heads/b', null), edit('refs/heads/c', two)]
    const { states } = await killEverywhere(bare.path, (repository) => verdicts(repository, refs))
    for (const state of states) {
      for (const line of state) {
        expect([
          `refs/heads/a ${one}`,
          `refs/heads/a ${two}`,
          `refs/heads/b ${one}`,
          `refs/heads/c ${two}`,
        ]).toContain(line)
      }
      expect(state.some((line) => line.startsWith('refs/heads/a '))).toBe(true)
    }
  })
})

describe('a commit with a pack that is killed', () => {
  test('never leaves a ref that names an object that is not there', async () => {
    const source = await makeBare()
    const bare = await makeBare({ commits: 0 })
    const [tip = ''] = source.ids
    const pack = await packObjects(source.path, [tip])
    const { states, debris: left } = await killEverywhere(bare.path, async (repository) => {
      const addPacks = [await stagePack(repository, pack)]
      return repository.commit({ addPacks, refs: [edit('refs/heads/main', tip)] })
    })
    expectTwoStates(states)
    for (const file of left) {
      expect(file).toMatch(/\.lock$|^objects\/pack\/(pack-<id>\.keep|tmp_pack_\w{6}|tmp_idx_\w{6})$/)
    }
  })
})
