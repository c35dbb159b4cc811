import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Bucket } from '../../../src/storage/manifest/bucket.ts'
import { createMemoryBucket, SMALL_LIMITS, type MemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls } from '../../support/buckets/wrapped-bucket.ts'
import { CREATE, openStorage, set, stage, stagePack } from './fixture.ts'

/** Names of files, of packs and all others. */
function files(bucket: MemoryBucket): string[] {
  return [...bucket.objects.keys()].filter((key) => key.includes('/f/'))
}

// Time stands still unless a test lets it go on: no grace period is over because the machine is slow.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function letPass(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds)
}

/** What has a grace period goes in one round, what depends on it in the next. */
async function collect(bucket: MemoryBucket, gracePeriod = 0): Promise<void> {
  const storage = openStorage(bucket, { gracePeriod })
  for (let round = 0; round < 3; round++) {
    letPass(3)
    await storage.collectGarbage()
  }
}

describe('garbage in a bucket', () => {
  test('files that no commit took go after the grace period, and what is listed never', async () => {
    const bucket = createMemoryBucket()
    const repository = await openStorage(bucket).create('a', CREATE)
    await repository.commit({ addPacks: [await stagePack(repository, 'a', 200_000)] })
    await repository.writeDerived(`pack-${'a'.repeat(40)}`, 'reachability', new Uint8Array(10))
    await repository.commit({ refs: Array.from({ length: 300 }, (_, at) => set(`refs/heads/${at}`, at)) })
    const listed = files(bucket).sort()
    await stagePack(repository, 'b', 100)
    expect(files(bucket)).toHaveLength(listed.length + 2)
    await collect(bucket, 60_000)
    expect(files(bucket)).toHaveLength(listed.length + 2)
    await collect(bucket)
    expect(files(bucket).sort()).toEqual(listed)
    expect(await repository.listRefs('refs/heads/')).toHaveLength(300)
  })

  test('a dropped pack can be read for the grace period, and is NOT_FOUND after it', async () => {
    const bucket = createMemoryBucket()
    const storage = openStorage(bucket, { gracePeriod: 250 })
    const repository = await storage.create('a', CREATE)
    const pack = await stagePack(repository, 'a', 200_000)
    await repository.commit({ addPacks: [pack] })
    letPass(260)
    const file = await repository.openPackFile(pack.name, 'pack')
    await repository.commit({ dropPacks: [pack.name] })
    await storage.collectGarbage()
    expect(await file.read([{ offset: 9, length: 1 }])).toEqual([Uint8Array.of(1)])
    letPass(300)
    expect(await repository.maintenance?.collectGarbage?.()).toBe(2)
    await expect(file.read([{ offset: 9, length: 1 }])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('nothing of a deleted repository is left but the name, and the key can be used again', async () => {
    const bucket = createMemoryBucket()
    const storage = openStorage(bucket)
    const repository = await storage.create('a', CREATE)
    await repository.commit({ addPacks: [await stagePack(repository, 'a', 100)] })
    await storage.delete('a')
    await collect(bucket, 60_000)
    expect(files(bucket)).toHaveLength(2)
    await collect(bucket)
    expect([...bucket.objects.keys()]).toEqual(['m/a'])
    expect(bucket.objects.get('m/a')?.size).toBe(0)
    expect((await storage.list()).keys).toEqual([])
    await storage.create('a', CREATE)
    expect((await storage.list()).keys).toEqual(['a'])
    await expect(repository.listPacks()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a put that comes once more does not bring back what was deleted and collected since', async () => {
    const bucket = createMemoryBucket()
    let putAgain: () => Promise<string | undefined> = () => Promise.reject(new Error('nothing was put'))
    const noting: Bucket = {
      ...bucket,
      put: (key, bytes, condition) => {
        if (key === 'm/a') putAgain = () => bucket.put(key, bytes.slice(), condition)
        return bucket.put(key, bytes, condition)
      },
    }
    await openStorage(noting).create('a', CREATE)
    const storage = openStorage(bucket)
    await storage.delete('a')
    await collect(bucket)
    expect(await putAgain()).toBeUndefined()
    expect(await storage.open('a')).toBeUndefined()
  })

  test('a shared pack goes when neither source nor fork needs it, in whatever order they let go', async () => {
    for (const order of [
      ['source', 'fork', 'fork of the fork'],
      ['fork', 'source', 'fork of the fork'],
      ['fork of the fork', 'fork', 'source'],
    ]) {
      const bucket = createMemoryBucket()
      const storage = openStorage(bucket)
      const keys: Readonly<Record<string, string>> = { source: 's', fork: 'f', 'fork of the fork': 'g' }
      const source = await storage.create('s', CREATE)
      const pack = await stagePack(source, 'a', 100)
      await source.commit({ addPacks: [pack] })
      const share = { head: 'refs/heads/main', refs: [], shallow: [], packs: [{ name: pack.name }] }
      const fork = await storage.fork('s', 'f', share)
      await fork.commit({ addPacks: [await stagePack(fork, 'b', 100)] })
      await storage.fork('f', 'g', {
        ...share,
        packs: (await fork.listPacks()).map(({ name }) => ({ name })),
      })
      const left = new Set(Object.values(keys))
      for (const name of order) {
        const key = keys[name] ?? ''
        await storage.delete(key)
        left.delete(key)
        await collect(bucket)
        for (const other of left) {
          const repository = await storage.open(other)
          for (const { name: held } of (await repository?.listPacks()) ?? []) {
            const file = await repository?.openPackFile(held, 'pack')
            expect(await file?.read([{ offset: 0, length: 100 }])).toEqual([new Uint8Array(100).fill(1)])
          }
        }
      }
      await collect(bucket)
      expect([...bucket.objects.keys()].sort()).toEqual(['m/f', 'm/g', 'm/s'])
    }
  })

  test('a fork that died before it was made keeps nothing for ever', async () => {
    const bucket = createMemoryBucket()
    const storage = openStorage(bucket)
    const source = await storage.create('s', CREATE)
    const pack = await stagePack(source, 'a', 100)
    await source.commit({ addPacks: [pack] })
    const dying = {
      ...bucket,
      put: (key: string, bytes: Uint8Array) =>
        key === 'm/f' ? Promise.reject(new Error('died')) : bucket.put(key, bytes),
    }
    const share = { head: 'refs/heads/main', refs: [], shallow: [], packs: [{ name: pack.name }] }
    await expect(openStorage(dying).fork('s', 'f', share)).rejects.toThrow('died')
    await source.commit({ dropPacks: [pack.name] })
    await collect(bucket, 60_000)
    expect(files(bucket)).toHaveLength(2)
    await collect(bucket)
    expect([...bucket.objects.keys()].filter((key) => key !== 'm/s')).toHaveLength(1)
  })

  test('thousands of repositories and of files are listed and collected over pages', async () => {
    const bucket = createMemoryBucket({ ...SMALL_LIMITS, maxDeletes: 1000 })
    const storage = openStorage(bucket)
    const keys = Array.from(
      { length: 2300 },
      (_, at) => `team-${at % 7}/${String(at).padStart(5, '0')}`,
    ).sort()
    for (const key of keys) await storage.create(key, CREATE)
    for (const key of keys.filter((_, at) => at % 2 === 0)) await storage.delete(key)
    const left = keys.filter((_, at) => at % 2 === 1)
    for (const limit of [100, 1000, 5000]) {
      const found: string[] = []
      let cursor: string | undefined
      do {
        const page = await storage.list(cursor === undefined ? { limit } : { limit, cursor })
        expect(page.keys.length).toBeLessThanOrEqual(limit)
        found.push(...page.keys)
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(found).toEqual(left)
    }
    const repository = await storage.open(left[0] ?? '')
    if (repository === undefined) throw new Error('not there')
    for (let at = 0; at < 2500; at++) await stage(repository, 'idx', Uint8Array.of(at & 255))
    const counted = countCalls(bucket)
    letPass(3)
    await openStorage(counted.bucket, { gracePeriod: 0 }).collectGarbage()
    expect(files(bucket)).toEqual([])
    const deletions = counted.calls.filter(({ method, key }) => method === 'delete' && key.includes('/f/'))
    expect(deletions).toHaveLength(3)
  })
})
