import { describe, expect, onTestFinished, test } from 'vitest'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import { gitLines } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { codecs, makeHistory, packOf, push, pushHistory } from '../fork/fixture.ts'
import { clonedObjects, createAnyStorage, KINDS } from './fixture.ts'

const scratch = useScratch()

/** Moves or deletes a ref. */
async function setRef(repository: Repository, name: string, id: string | null): Promise<void> {
  const target: RefEdit['target'] = id === null ? null : { kind: 'direct', id }
  await repository.storage.commit({ refs: [{ name, expect: { kind: 'any' }, target }] })
}

/** A storage whose packs look so much older than they are, except those that were freshened through it. */
function later(storage: RepositoryStorage, milliseconds: number): RepositoryStorage {
  const fresh = new Set<string>()
  return {
    ...storage,
    freshenPacks: async (names) => {
      await storage.freshenPacks(names)
      for (const name of names) fresh.add(name)
    },
    listPacks: async () =>
      (await storage.listPacks()).map((pack) =>
        fresh.has(pack.name) ? pack : { ...pack, modified: pack.modified - milliseconds },
      ),
    commit: ({ dropOnlyBefore, ...step }) =>
      storage.commit(
        dropOnlyBefore === undefined
          ? step
          : {
              ...step,
              dropPacks: step.dropPacks?.filter((name) => !fresh.has(name)) ?? [],
              dropOnlyBefore: dropOnlyBefore + milliseconds,
            },
      ),
  }
}

/** Opens a repository until the test is over. */
function opened(storage: RepositoryStorage): Repository {
  const repository = openRepository(storage, { codecs })
  onTestFinished(() => repository.close())
  return repository
}

const DAY = 86_400_000

describe.each(KINDS)('on %s, a push', (kind) => {
  /** A repository in which main is all there is, and b1 was pushed and deleted, and is in a pack of unreachable objects. */
  async function createGarbage(): Promise<{
    repository: Repository
    path: string
    tip: string
    at: (days: number) => Repository
  }> {
    const storage = await createAnyStorage(kind)
    const path = await makeHistory(7, 20)
    const refs = await pushHistory(storage, 'a', path, 3)
    const stored = (await storage.open('a'))!
    const repository = opened(stored)
    const { id: tip } = refs.find(({ name }) => name === 'refs/heads/b1')!
    for (const { name } of refs) if (name !== 'refs/heads/main') await setRef(repository, name, null)
    const { steps } = await maintain(repository, { mode: 'gc' })
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'repack', how: 'full' }))
    const at = (days: number): Repository => opened(later(stored, days * DAY))
    return { repository, path, tip, at }
  }

  test('that relies on unreachable objects keeps them, though their time is over', async () => {
    const { repository, path, tip, at } = await createGarbage()
    const aged = at(15)
    const incoming = await aged.receivePack(undefined)
    expect(await incoming.findMissing([tip])).toBeUndefined()
    const { steps } = await maintain(aged, { mode: 'gc' })
    expect(steps.filter((step) => step.kind === 'expire')).toEqual([])
    const edit = {
      name: 'refs/heads/again',
      expect: { kind: 'any' },
      target: { kind: 'direct', id: tip },
    } as const
    await incoming.commit([edit], { atomic: false })
    await maintain(at(100), { mode: 'gc' })
    const reachable = await gitLines(['rev-list', '--objects', '--no-object-names', 'main', tip], {
      cwd: path,
    })
    expect(await clonedObjects(repository, scratch.fresh('clone'))).toEqual([...new Set(reachable)].sort())
  })

  test('that names what was removed meanwhile is told so', async () => {
    const { repository, path, tip, at } = await createGarbage()
    const incoming = await repository.receivePack(undefined)
    const { steps } = await maintain(at(15), { mode: 'gc' })
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'expire' }))
    expect(await incoming.findMissing([tip])).toBeDefined()
    await incoming.discard()
    // And one that brings the objects is taken.
    await push(repository, await packOf(path, [tip, '^main']), [{ name: 'refs/heads/again', id: tip }])
    const reachable = await gitLines(['rev-list', '--objects', '--no-object-names', 'main', tip], {
      cwd: path,
    })
    expect(await clonedObjects(repository, scratch.fresh('clone'))).toEqual([...new Set(reachable)].sort())
  })

  test('that freshens a pack while it is to be removed is asked for', async () => {
    const { repository, tip, at } = await createGarbage()
    const { storage } = at(15)
    let freshened = false
    const racing: RepositoryStorage = {
      ...storage,
      commit: async (step) => {
        if (step.dropOnlyBefore === undefined || freshened) return storage.commit(step)
        freshened = true
        await new Promise((resolve) => setTimeout(resolve, 20))
        // Maintenance takes this moment for the end of the grace period of what was made before it.
        const cutoff = Date.now()
        await new Promise((resolve) => setTimeout(resolve, 20))
        const incoming = await repository.receivePack(undefined)
        expect(await incoming.findMissing([tip])).toBeUndefined()
        await setRef(repository, 'refs/heads/again', tip)
        await incoming.discard()
        return repository.storage.commit({ ...step, dropOnlyBefore: cutoff })
      },
    }
    await maintain(opened(racing), { mode: 'gc' })
    expect(freshened).toBe(true)
    const objects = await clonedObjects(repository, scratch.fresh('clone'))
    expect(objects).toContain(tip)
  })
})
