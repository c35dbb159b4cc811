import { describe, expect, test } from 'vitest'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { createMemoryBucket, type MemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls, wrapBucket, type Around } from '../../support/buckets/wrapped-bucket.ts'
import { CREATE, noAnswer, numberIn, openStorage, set, stagePack } from './fixture.ts'

const MAIN = 'refs/heads/main'
const TOPIC = 'refs/heads/topic'

/** A repository through one store that misbehaves as it is told, and through another that does not. */
async function open(): Promise<{
  bucket: MemoryBucket
  odd: RepositoryStorage
  good: RepositoryStorage
  around: (next: Around) => void
}> {
  const bucket = createMemoryBucket()
  let behaviour: Around = (_, make) => make()
  const odd = openStorage(wrapBucket(bucket, (call, make) => behaviour(call, make)))
  const repository = await odd.create('a', CREATE)
  await repository.commit({ refs: [set(MAIN, 0)] })
  const good = await openStorage(bucket).open('a')
  if (good === undefined) throw new Error('the repository is not there')
  return { bucket, odd: repository, good, around: (next) => (behaviour = next) }
}

/** Does something instead of the first call that puts a manifest. */
function atManifestPut(instead: <T>(make: () => Promise<T>) => Promise<T>): Around {
  let done = false
  return (call, make) => {
    if (done || call.method !== 'put' || !call.key.startsWith('m/')) return make()
    done = true
    return instead(make)
  }
}

describe('a commit to a bucket', () => {
  test('whose reply was lost is applied, and only once', async () => {
    const { odd, good, around } = await open()
    around(
      atManifestPut(async (make) => {
        await make()
        throw noAnswer()
      }),
    )
    const pack = await stagePack(odd, 'a', 100)
    const events = (): string[] => ['told']
    const result = await odd.commit({ addPacks: [pack], refs: [set(MAIN, 1, 0)], events })
    expect(result.refs).toMatchObject([{ kind: 'applied' }])
    expect(await numberIn(good, MAIN)).toBe(1)
    expect(await good.listPacks()).toHaveLength(1)
    expect((await good.readEvents(10)).map(({ text }) => text)).toEqual(['told'])
  })

  test('whose reply was lost is known to be applied although others have committed since then', async () => {
    const { odd, good, around } = await open()
    around(
      atManifestPut(async (make) => {
        await make()
        for (let number = 2; number < 12; number++) await good.commit({ refs: [set(MAIN, number)] })
        throw noAnswer()
      }),
    )
    const result = await odd.commit({ refs: [set(MAIN, 1, 0)] })
    expect(result.refs).toMatchObject([{ kind: 'applied' }])
    expect(await numberIn(good, MAIN)).toBe(11)
  })

  test('that never arrived is sent again', async () => {
    const { odd, good, around } = await open()
    around(atManifestPut(() => Promise.reject(noAnswer())))
    expect((await odd.commit({ refs: [set(MAIN, 1, 0)] })).refs).toMatchObject([{ kind: 'applied' }])
    expect(await numberIn(good, MAIN)).toBe(1)
  })

  test('that arrives twice is applied once, and not taken for a lost race', async () => {
    const { odd, good, around } = await open()
    around(
      atManifestPut(async (make) => {
        await make()
        return make()
      }),
    )
    const events = (): string[] => ['told']
    expect((await odd.commit({ refs: [set(MAIN, 1, 0)], events })).refs).toMatchObject([{ kind: 'applied' }])
    expect(await good.readEvents(10)).toHaveLength(1)
  })

  test('that lost a race answers per ref by what the winner left', async () => {
    const { odd, good, around } = await open()
    around(
      atManifestPut(async (make) => {
        await good.commit({ refs: [set(MAIN, 5)] })
        return make()
      }),
    )
    const result = await odd.commit({ refs: [set(MAIN, 1, 0), set(TOPIC, 1)] })
    expect(result.refs).toMatchObject([
      { kind: 'rejected', rejection: { reason: 'stale' } },
      { kind: 'applied' },
    ])
    expect(await numberIn(good, MAIN)).toBe(5)
    expect(await numberIn(good, TOPIC)).toBe(1)
  })

  test('is not refused by what this process remembers, when others have changed it', async () => {
    const { odd, good } = await open()
    await good.commit({ refs: [set(MAIN, 1)] })
    expect((await odd.commit({ refs: [set(MAIN, 2, 1)] })).refs).toMatchObject([{ kind: 'applied' }])
    await good.commit({ refs: [set(MAIN, 3)] })
    expect((await odd.commit({ refs: [set(MAIN, 4, 2)] })).refs).toMatchObject([{ kind: 'rejected' }])
  })

  test('whose outcome cannot be found out says so, and keeps its files from being discarded', async () => {
    const { odd, good, bucket, around } = await open()
    around(
      atManifestPut(async (make) => {
        await make()
        for (let number = 2; number < 40; number++) await good.commit({ refs: [set(TOPIC, number)] })
        throw noAnswer()
      }),
    )
    const pack = await stagePack(odd, 'a', 100)
    await expect(odd.commit({ addPacks: [pack], refs: [set(MAIN, 1)] })).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringMatching(/cannot be found out/) as string,
    })
    await pack.pack.discard()
    await pack.index.discard()
    const file = await good.openPackFile(pack.name, 'pack')
    expect(await file.read([{ offset: 99, length: 1 }])).toEqual([Uint8Array.of(1)])
    expect(bucket.objects.size).toBeGreaterThan(0)
  })

  test('is tried again while the store refuses, for a bounded time', async () => {
    const { odd, good, around } = await open()
    let refusals = 3
    around((call, make) => (call.method === 'put' && refusals-- > 0 ? Promise.reject(noAnswer()) : make()))
    expect((await odd.commit({ refs: [set(MAIN, 1, 0)] })).refs).toMatchObject([{ kind: 'applied' }])
    around(() => Promise.reject(noAnswer()))
    await expect(odd.commit({ refs: [set(MAIN, 2, 1)] })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await numberIn(good, MAIN)).toBe(1)
  })

  test('fails with LOCKED when others are always first', async () => {
    const { odd, good, around } = await open()
    let number = 0
    around(async (call, make) => {
      if (call.method === 'put') await good.commit({ refs: [set(TOPIC, ++number)] })
      return make()
    })
    await expect(odd.commit({ refs: [set(MAIN, 1, 0)] })).rejects.toMatchObject({ code: 'LOCKED' })
    expect(await numberIn(good, MAIN)).toBe(0)
  }, 60_000)

  test('takes one request when nobody else commits, and many commits at once take few', async () => {
    const counted = countCalls(createMemoryBucket())
    const repository = await openStorage(counted.bucket).create('a', CREATE)
    await repository.commit({ refs: [set(MAIN, 0)] })
    counted.calls.length = 0
    await repository.commit({ refs: [set(MAIN, 1, 0)] })
    expect(counted.calls.map(({ method, key }) => `${method} ${key}`)).toEqual(['put m/a'])
    counted.calls.length = 0
    const names = Array.from({ length: 100 }, (_, at) => `refs/heads/${at}`)
    await Promise.all(names.map((name) => repository.commit({ refs: [set(name, 1)] })))
    expect(counted.calls.length).toBeLessThanOrEqual(8)
  })
})

describe('a repository in a bucket', () => {
  test('is created once and deleted once when the reply is lost', async () => {
    const bucket = createMemoryBucket()
    const lose = (): Around =>
      atManifestPut(async (make) => {
        await make()
        throw noAnswer()
      })
    let behaviour = lose()
    const storage = openStorage(wrapBucket(bucket, (call, make) => behaviour(call, make)))
    await storage.create('a', CREATE)
    await expect(openStorage(bucket).create('a', CREATE)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    behaviour = lose()
    expect(await storage.delete('a')).toBe(true)
    expect(await storage.delete('a')).toBe(false)
    await openStorage(bucket).create('a', CREATE)
  })
})
