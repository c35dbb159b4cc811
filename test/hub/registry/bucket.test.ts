import { describe, expect, it } from 'vitest'
import { createBucketRegistry } from '../../../src/hub/registry/bucket/bucket-registry.ts'
import {
  NOW,
  sampleId,
  sampleRepository,
  sampleToken,
} from '../../../src/hub/registry/conformance/samples.ts'
import { GitError } from '../../../src/errors.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls, wrapBucket } from '../../support/buckets/wrapped-bucket.ts'
import { createRandom } from '../../support/random.ts'

describe('several processes on one bucket', () => {
  it('agree on who has a name, and lose no token that another adds at the same time', async () => {
    const bucket = createMemoryBucket()
    const slow = wrapBucket(bucket, async (_, make) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
      return make()
    })
    const processes = [0, 1, 2].map(() => createBucketRegistry({ bucket: slow }))
    const created = await Promise.all(
      processes.map((registry, at) =>
        registry.createRepository(sampleRepository('name', { id: sampleId(`id${at}`) }, [`created ${at}`])),
      ),
    )
    expect(created.filter(Boolean).length).toBe(1)
    const id = sampleId(`id${created.indexOf(true)}`)
    for (const registry of processes) {
      expect((await registry.findRepository('space', 'name'))?.id).toBe(id)
      expect((await registry.readEvents(id, 10)).map(({ text }) => text)).toEqual([
        `created ${created.indexOf(true)}`,
      ])
    }
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(
      names.map(async (name, at) =>
        processes[at % 3]?.createToken(sampleToken(name, id), { keepOver: 9, events: [`made ${name}`] }),
      ),
    )
    const listed = await processes[0]?.listTokens({ repository: id, now: NOW, limit: 99, offset: 0 })
    expect(listed?.total).toBe(7)
    expect((await processes[1]?.readEvents(id, 99))?.length).toBe(7)
  })
})

describe('a store that answers late or not at all', () => {
  it('is asked again, and what took place without an answer is not done twice nor undone', async () => {
    const random = createRandom(3)
    const bucket = createMemoryBucket()
    const unsure = wrapBucket(bucket, async ({ method }, make) => {
      if (random.chance(0.2)) throw new GitError('UNAVAILABLE', 'no answer, and it did not take place')
      const result = await make()
      if (method === 'put' && random.chance(0.3)) {
        throw new GitError('UNAVAILABLE', 'no answer, but it took place')
      }
      return result
    })
    const registry = createBucketRegistry({
      bucket: unsure,
      retries: { attempts: 30, firstWait: 0, longestWait: 0 },
    })
    for (let at = 0; at < 20; at++) {
      const { record, token } = sampleRepository(`r${at}`, { status: 'creating', leaseUntil: NOW })
      expect(await registry.createRepository({ record, token, events: ['created'] })).toBe(true)
      const other = sampleRepository(`R${at}`, { id: sampleId(`other${at}`) })
      expect(await registry.createRepository(other)).toBe(false)
      await registry.finishRepository(record.id, { updatedAt: NOW })
      expect(await registry.createToken(sampleToken(`x${at}`, record.id), { keepOver: 9 })).toBe(true)
      expect((await registry.findTokenByHash(token.hash))?.id).toBe(token.id)
      const { total } = await registry.listTokens({ repository: record.id, now: NOW, limit: 9, offset: 0 })
      expect(total).toBe(2)
      expect((await registry.readRepository(record.id))?.status).toBe('ready')
    }
    for (let at = 0; at < 20; at += 2) {
      await registry.deleteRepository(sampleId(`r${at}`), { tombstone: true })
      expect(await registry.findRepository('space', `r${at}`)).toBe(undefined)
      expect(await registry.findTombstone('space', `r${at}`)).toBe(sampleId(`r${at}`))
    }
    expect((await registry.findNamespace('space'))?.repositoryCount).toBe(10)
    expect((await registry.listCleanups(99)).length).toBe(10)
  })

  it('does not lose a repository to a deletion that was broken off before it took place', async () => {
    const bucket = createMemoryBucket()
    const { record, token } = sampleRepository('a')
    await createBucketRegistry({ bucket }).createRepository({ record, token })
    const dying = wrapBucket(bucket, ({ method, key }, make) =>
      method === 'put' && key.includes('/r/') ? Promise.reject(new GitError('STORAGE', 'gone')) : make(),
    )
    const deletion = createBucketRegistry({ bucket: dying }).deleteRepository(record.id, { tombstone: true })
    await expect(deletion).rejects.toThrow('gone')
    const registry = createBucketRegistry({ bucket })
    expect(await registry.listCleanups(9)).toEqual([])
    expect(await registry.findTokenByHash(token.hash)).toEqual(token)
  })
})

it('a token is looked up with two requests, and a repository with one', async () => {
  const { bucket, calls } = countCalls(createMemoryBucket())
  const registry = createBucketRegistry({ bucket })
  const { record, token } = sampleRepository('a')
  await registry.createRepository({ record, token })
  calls.length = 0
  await registry.findTokenByHash(token.hash)
  expect(calls.map(({ method }) => method)).toEqual(['get', 'get'])
  await registry.findRepository('space', 'a')
  expect(calls.length).toBe(3)
})

it('a list costs a request for each thousand names and for each one that changed, and is never old', async () => {
  const { bucket, calls } = countCalls(createMemoryBucket())
  const registry = createBucketRegistry({ bucket })
  for (let at = 0; at < 1100; at++) await registry.createRepository(sampleRepository(`r${at}`))
  const query = { namespace: 'space', sort: 'name', direction: 'asc', limit: 2000 } as const
  const list = async (): Promise<[Record<string, number>, string[]]> => {
    calls.length = 0
    const { rows } = await createBucketRegistry({ bucket }).listRepositories(query)
    const counts: Record<string, number> = {}
    for (const { method } of calls) counts[method] = (counts[method] ?? 0) + 1
    return [counts, rows.map(({ name, lastPushAt }) => `${name} ${lastPushAt ?? ''}`)]
  }
  const [first, all] = await list()
  expect([first, all.length]).toEqual([{ list: 2, get: 1101, put: 1 }, 1100])
  expect(await list()).toEqual([{ list: 2, get: 1 }, all])
  await registry.recordPush(sampleId('r5'), NOW)
  await registry.deleteRepository(sampleId('r6'), { tombstone: true })
  await registry.createRepository(sampleRepository('r1100'))
  const expected = [...all, 'r1100 ']
    .map((row) => (row === 'r5 ' ? `r5 ${NOW}` : row))
    .filter((row) => row !== 'r6 ')
    .sort()
  const [later, rows] = await list()
  expect([later, rows.sort()]).toEqual([{ list: 2, get: 4 }, expected])
  expect((await registry.findNamespace('space'))?.repositoryCount).toBe(1100)
})
