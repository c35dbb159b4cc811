import { cp, readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import type { RepositoryStorage, StorageCommit } from '../../../src/storage/repository-storage.ts'
import { edit, listedRefs, makeBare, mustOpen, temporaryDirectory } from './fixture.ts'
import { packObjects, stagePack } from './pack-fixture.ts'
import { Stopped, stoppingFileSystem } from './stopping-file-system.ts'

/**
 * Makes what a dead process left in the outbox look as old as it will be when somebody cares.
 *
 * @param time when it was written, in seconds since the epoch.
 */
async function age(path: string, time = 1): Promise<void> {
  const folder = join(path, 'packstone', 'events')
  const names = await readdir(folder).catch(() => [])
  for (const name of names) await utimes(join(folder, name), time, time)
}

async function removeLocks(path: string): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) {
    if (name.endsWith('.lock')) await rm(join(path, name))
  }
}

async function texts(repository: RepositoryStorage): Promise<string[]> {
  return (await repository.readEvents(100)).map(({ text }) => text)
}

/**
 * Kills a commit before each change it makes to the disk. Each time the outbox must tell of it exactly when its refs have moved, asked at
 * once and after another commit; gives how often it had happened and how often not.
 */
async function killEverywhere(
  template: string,
  step: (repository: RepositoryStorage) => Promise<StorageCommit>,
  next: readonly RefEdit[],
): Promise<{ moved: number; still: number }> {
  const folder = await temporaryDirectory()
  const before = await listedRefs(await mustOpen(template, { durable: false }))
  const count = { moved: 0, still: 0 }
  for (let allowed = 0; ; allowed++) {
    const path = join(folder, `kill-${allowed}.git`)
    await cp(template, path, { recursive: true, preserveTimestamps: true })
    const { fileSystem, close } = stoppingFileSystem(allowed)
    const killed = await mustOpen(path, { fileSystem, durable: false })
    const failure: unknown = await step(killed)
      .then((commit) => killed.commit({ ...commit, events: () => ['first', 'second'] }))
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    await close()
    if (failure !== undefined) expect(failure).toBeInstanceOf(Stopped)
    await removeLocks(path)
    if (failure !== undefined) await age(path)

    const after = join(folder, `after-${allowed}.git`)
    const hasNext = allowed % 2 === 0 || failure === undefined
    if (hasNext) await cp(path, after, { recursive: true, preserveTimestamps: true })
    const repository = await mustOpen(path, { durable: false })
    const hasMoved = JSON.stringify(await listedRefs(repository)) !== JSON.stringify(before)
    const told = hasMoved ? ['first', 'second'] : []
    expect(await texts(repository)).toEqual(told)
    expect(await texts(repository)).toEqual(told)

    if (hasNext) {
      // A commit that comes before anybody reads leaves what happened as it was, and in order.
      const again = await mustOpen(after, { durable: false })
      await again.commit({ refs: next, events: () => ['third'] })
      await age(after)
      expect(await texts(again)).toEqual([...told, 'third'])
      await again.dropEvents((await again.readEvents(100)).at(-1)?.sequence ?? -1)
      expect(await texts(again)).toEqual([])
    }
    count[hasMoved ? 'moved' : 'still']++
    for (const one of [path, after]) await rm(one, { recursive: true, force: true })
    if (failure === undefined) return count
  }
}

describe('events of a commit that is killed are there exactly when its refs have moved', () => {
  test.each([
    ['one loose ref', 1, false],
    ['several refs', 3, false],
    ['several refs, atomic', 3, true],
  ])('%s', async (_, width, atomic) => {
    const bare = await makeBare()
    const [one = '', two = '', three = ''] = bare.ids
    for (const name of ['a', 'b', 'gone']) await bare.git('update-ref', `refs/heads/${name}`, one)
    const refs = [
      edit('refs/heads/a', two, { kind: 'id', id: one }),
      edit('refs/heads/gone', null),
      edit('refs/heads/new/born', two),
    ].slice(0, width)
    const next = [edit('refs/heads/a', three), edit('refs/heads/gone', three)]
    const counts = await killEverywhere(bare.path, () => Promise.resolve({ refs, atomic }), next)
    expect(counts.moved).toBeGreaterThan(1)
    expect(counts.still).toBeGreaterThan(3)
  })

  test('a deletion', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('pack-refs', '--all')
    await bare.git('update-ref', 'refs/heads/a', two)
    const step = (): Promise<StorageCommit> => Promise.resolve({ refs: [edit('refs/heads/a', null)] })
    const counts = await killEverywhere(bare.path, step, [edit('refs/heads/a', one)])
    expect(counts.moved).toBeGreaterThan(1)
  })

  test('a pack and a ref', async () => {
    const source = await makeBare()
    const bare = await makeBare({ commits: 0 })
    const [tip = ''] = source.ids
    const pack = await packObjects(source.path, [tip])
    const step = async (repository: RepositoryStorage): Promise<StorageCommit> => {
      return { addPacks: [await stagePack(repository, pack)], refs: [edit('refs/heads/main', tip)] }
    }
    const counts = await killEverywhere(bare.path, step, [edit('refs/heads/other', tip)])
    expect(counts.moved).toBeGreaterThan(1)
  })
})

test('what a process is about to tell holds back later events, until it is known what came of it', async () => {
  const bare = await makeBare()
  const [one = '', two = ''] = bare.ids
  let failure: unknown
  for (let allowed = 0; failure === undefined || allowed < 100; allowed++) {
    const { fileSystem, close } = stoppingFileSystem(allowed)
    const killed = await mustOpen(bare.path, { fileSystem, durable: false })
    failure = await killed.commit({ refs: [edit('refs/heads/a', one)], events: () => ['unknown'] }).then(
      () => undefined,
      (error: unknown) => error,
    )
    await close()
    await removeLocks(bare.path)
    const folder = join(bare.path, 'packstone', 'events')
    if ((await readdir(folder).catch(() => [])).length > 0) break
  }
  // It does not get old however long this takes.
  await age(bare.path, Date.now() / 1000 + 3600)
  const repository = await mustOpen(bare.path, { durable: false })
  await repository.commit({ refs: [edit('refs/heads/b', two)], events: () => ['later'] })
  const reading = texts(repository)
  const first = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))])
  expect(first).toBe('waits')
  await age(bare.path)
  expect(await reading).toEqual(['later'])
})
