import { describe, expect, onTestFinished, test } from 'vitest'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { gitLines } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { codecs, makeHistory, pushHistory, type HistoryRef } from '../fork/fixture.ts'
import {
  cloneBytes,
  clonedObjects,
  createAnyStorage,
  KINDS,
  maintainUntilDone,
  storedBytes,
} from './fixture.ts'

const scratch = useScratch()

interface Pushed {
  readonly storage: Storage
  readonly repository: Repository
  readonly path: string
  readonly refs: readonly HistoryRef[]
  /** Ids of everything that refs reach, sorted. */
  readonly objects: readonly string[]
}

async function open(storage: Storage, key: string): Promise<Repository> {
  const repository = openRepository((await storage.open(key))!, { codecs })
  onTestFinished(() => repository.close())
  return repository
}

async function reachable(path: string, revisions: readonly string[]): Promise<string[]> {
  const args = ['rev-list', '--objects', '--no-object-names', ...revisions]
  return [...new Set(await gitLines(args, { cwd: path }))].sort()
}

describe.each(KINDS)('a repository in %s', (kind) => {
  /** A history that was pushed branch by branch. */
  async function createPushed(seed: number): Promise<Pushed> {
    const storage = await createAnyStorage(kind)
    const path = await makeHistory(seed, 24)
    const refs = await pushHistory(storage, 'a', path, 100)
    return {
      storage,
      path,
      refs,
      repository: await open(storage, 'a'),
      objects: await reachable(path, ['--all']),
    }
  }

  test('holds the same after each way of maintaining it, in fewer packs, and is cloned as it is stored', async () => {
    const { repository, objects } = await createPushed(1)
    const before = await repository.storage.listPacks()
    await maintain(repository)
    const joined = await repository.storage.listPacks()
    expect(joined.length).toBeLessThan(before.length)
    expect(await clonedObjects(repository, scratch.fresh('joined'))).toEqual(objects)
    for (const mode of ['full', 'gc'] as const) {
      await maintain(repository, { mode })
      const [only, ...others] = await repository.storage.listPacks()
      expect(others).toEqual([])
      const { pack } = await cloneBytes(repository)
      expect(pack.equals(await storedBytes(repository, only!.name))).toBe(true)
      expect(await repository.storage.readDerived(only!.name, 'reachability')).toBeDefined()
    }
    expect(await clonedObjects(repository, scratch.fresh('full'))).toEqual(objects)
    expect(await maintain(repository, { mode: 'gc' })).toMatchObject({ done: true, steps: [] })
  })

  test('has packs that are too large to be rewritten joined as they are stored, in a call that does nothing else', async () => {
    const { repository, objects } = await createPushed(5)
    const before = await repository.storage.listPacks()
    expect(before.length).toBeGreaterThan(1)
    const budget = { bytes: 1, milliseconds: 60_000 }
    const { leftOut, done } = await maintain(repository, { mode: 'gc', budget })
    expect([leftOut.length, done]).toEqual([1, true])
    const results = await maintainUntilDone(repository, {
      mode: 'gc',
      budget: { ...budget, joinBytes: 1 << 30 },
    })
    const joins = results.filter(({ steps }) => steps.some(({ kind }) => kind === 'repack'))
    expect(joins).toMatchObject([{ done: false, steps: [{ kind: 'repack', how: 'join' }] }])
    const [only, ...others] = await repository.storage.listPacks()
    expect(others).toEqual([])
    expect(await clonedObjects(repository, scratch.fresh('joined'))).toEqual(objects)
    const { pack } = await cloneBytes(repository)
    expect(pack.equals(await storedBytes(repository, only!.name))).toBe(true)
  })

  test('is repacked in steps that a budget bounds', async () => {
    const { repository, objects } = await createPushed(2)
    const results = await maintainUntilDone(repository, { mode: 'full', budget: { bytes: 4000 } })
    expect(results.at(-1)?.done).toBe(true)
    expect(await clonedObjects(repository, scratch.fresh('bounded'))).toEqual(objects)
  })

  test('loses nothing when every step of the storage fails once', async () => {
    const { repository, objects } = await createPushed(3)
    const main = repository.storage
    let left = 0
    let failed = true
    for (let allowed = 0; failed; allowed++) {
      left = allowed
      failed = false
      const spend = <T>(work: () => Promise<T>): Promise<T> => {
        if (left-- > 0) return work()
        failed = true
        return Promise.reject(new Error('the storage fails'))
      }
      const failing: RepositoryStorage = {
        ...main,
        createFile: (file) => spend(() => main.createFile(file)),
        commit: (step) => spend(() => main.commit(step)),
        writeDerived: (pack, file, bytes) => spend(() => main.writeDerived(pack, file, bytes)),
      }
      const broken = openRepository({ ...failing, close: () => Promise.resolve() }, { codecs })
      const mode = allowed % 2 === 0 ? 'full' : 'geometric'
      await maintain(broken, { mode, force: mode === 'full' }).catch(() => undefined)
      await broken.close()
      const { pack } = await cloneBytes(repository)
      expect(pack.length).toBeGreaterThan(0)
      expect(allowed).toBeLessThan(60)
    }
    expect(await clonedObjects(repository, scratch.fresh('failed'))).toEqual(objects)
    await maintain(repository, { mode: 'full' })
    expect(await clonedObjects(repository, scratch.fresh('whole'))).toEqual(objects)
  })

  test('that is a fork takes over only what it may see, and neither it nor its source hurts the other', async () => {
    const { storage, repository, path, refs, objects } = await createPushed(4)
    await maintain(repository, { mode: 'full' })
    const { storage: forked } = await forkRepository(storage, 'a', 'b', { codecs, refs: 'head' })
    await forked.close()
    const fork = await open(storage, 'b')
    const visible = await reachable(path, ['main'])
    expect(visible.length).toBeLessThan(objects.length)
    expect(await clonedObjects(fork, scratch.fresh('forked'))).toEqual(visible)
    const { steps } = await maintain(fork, { mode: 'gc', gracePeriod: 0 })
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'repack', objectCount: visible.length }))
    const [only, ...others] = await fork.storage.listPacks()
    expect(others).toEqual([])
    expect(only).not.toHaveProperty('partial')
    expect(await clonedObjects(fork, scratch.fresh('maintained'))).toEqual(visible)
    expect(await clonedObjects(repository, scratch.fresh('source'))).toEqual(objects)
    const deletions = refs
      .filter(({ name }) => name !== 'refs/heads/main')
      .map(({ name }) => ({ name, expect: { kind: 'any' }, target: null }) as const)
    await repository.storage.commit({ refs: deletions })
    await maintain(repository, { mode: 'gc', gracePeriod: 0 })
    expect(await clonedObjects(repository, scratch.fresh('smaller'))).toEqual(visible)
    expect(await clonedObjects(fork, scratch.fresh('still'))).toEqual(visible)
  })
})
