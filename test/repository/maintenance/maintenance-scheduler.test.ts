import { describe, expect, onTestFinished, test } from 'vitest'
import type { MaintenanceResult } from '../../../src/repository/maintenance/maintenance-result.ts'
import {
  MaintenanceScheduler,
  readAutoPackLimit,
} from '../../../src/repository/maintenance/maintenance-scheduler.ts'
import { maintainStorage } from '../../../src/repository/maintenance/maintained-storage.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import { gitError } from '../../support/git-error.ts'
import { createAnyStorage, KINDS } from './fixture.ts'
import { codecs, makeHistory, pushHistory } from '../fork/fixture.ts'

async function createPushed(): Promise<Repository> {
  const storage = createMemoryStorage()
  await pushHistory(storage, 'a', await makeHistory(5, 20), 100)
  const repository = openRepository((await storage.open('a'))!, { codecs })
  onTestFinished(() => repository.close())
  return repository
}

describe('the scheduler', () => {
  test('joins packs when there are too many, and lets go of the repository', async () => {
    const repository = await createPushed()
    const before = (await repository.storage.listPacks()).length
    const results: MaintenanceResult[] = []
    let lent = 0
    const scheduler = new MaintenanceScheduler({
      open: () => Promise.resolve({ repository, release: () => lent-- && undefined }),
      maxPacks: 3,
      delay: 0,
      onResult: (_, result) => results.push(result),
      onError: (error) => {
        throw error
      },
    })
    lent = 1
    scheduler.notify('a')
    scheduler.notify('a')
    await scheduler.idle()
    expect(results).toHaveLength(1)
    expect(lent).toBe(0)
    expect((await repository.storage.listPacks()).length).toBeLessThan(before)
    await scheduler.close()
  })

  test('leaves a repository of few packs alone', async () => {
    const repository = await createPushed()
    const before = await repository.storage.listPacks()
    const results: MaintenanceResult[] = []
    const scheduler = new MaintenanceScheduler({
      open: () => Promise.resolve({ repository }),
      maxPacks: readAutoPackLimit,
      delay: 0,
      onResult: (_, result) => results.push(result),
      onError: (error) => {
        throw error
      },
    })
    scheduler.notify('a')
    await scheduler.idle()
    expect(results).toEqual([])
    expect(await repository.storage.listPacks()).toEqual(before)
    await repository.storage.writeConfig('[gc]\n\tautoPackLimit = 2\n[receive]\n\tautogc = false\n')
    scheduler.notify('a')
    await scheduler.idle()
    expect(results).toEqual([])
    await repository.storage.writeConfig('[gc]\n\tautoPackLimit = 2\n')
    scheduler.notify('a')
    await scheduler.idle()
    expect(results).toHaveLength(1)
  })

  test('works on one repository at a time, and each one gets its turn', async () => {
    let open = 0
    let most = 0
    const opened: string[] = []
    const scheduler = new MaintenanceScheduler({
      open: async (key) => {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setTimeout(resolve, 5))
        opened.push(key)
        open--
        return undefined
      },
      delay: 0,
      onError: (error) => {
        throw error
      },
    })
    for (const key of ['a', 'b', 'c']) scheduler.notify(key)
    await scheduler.idle()
    expect(opened).toEqual(['a', 'b', 'c'])
    expect(most).toBe(1)
  })

  test('tells of failures and goes on; closed it begins nothing', async () => {
    const errors: unknown[] = []
    const scheduler = new MaintenanceScheduler({
      open: (key) => Promise.reject(new Error(key)),
      delay: 0,
      onError: (error) => errors.push(error),
    })
    scheduler.notify('a')
    scheduler.notify('b')
    await scheduler.idle()
    expect(errors).toEqual([new Error('a'), new Error('b')])
    await scheduler.close()
    scheduler.notify('c')
    await scheduler.idle()
    expect(errors).toHaveLength(2)
  })

  test('refuses options that make no sense', () => {
    const options = { open: () => Promise.resolve(undefined), onError: () => undefined }
    expect(() => new MaintenanceScheduler({ ...options, delay: -1 })).toThrow(gitError('INVALID_ARGUMENT'))
    expect(() => new MaintenanceScheduler({ ...options, maxPacks: 0 })).toThrow(gitError('INVALID_ARGUMENT'))
  })
})

test.each(KINDS)('a maintained storage in %s has packs joined after commits that add some', async (kind) => {
  const plain = await createAnyStorage(kind)
  const results: MaintenanceResult[] = []
  const maintained = maintainStorage(plain, {
    codecs,
    maxPacks: 2,
    delay: 0,
    onResult: (_, result) => results.push(result),
    onError: (error) => {
      throw error
    },
  })
  await pushHistory(maintained.storage, 'a', await makeHistory(6, 20), 100)
  while (results.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(results[0]?.steps).toContainEqual(expect.objectContaining({ kind: 'repack', how: 'join' }))
  await maintained.close()
  const stored = (await plain.open('a'))!
  expect(await stored.listRefs('refs/')).not.toEqual([])
})
