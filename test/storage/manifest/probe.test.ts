import { describe, expect, test } from 'vitest'
import type { Bucket } from '../../../src/storage/manifest/bucket.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { CREATE, noAnswer, openStorage } from './fixture.ts'

const careless: readonly (readonly [string, (bucket: Bucket) => Bucket['put']])[] = [
  ['every condition', (bucket) => (key, bytes) => bucket.put(key, bytes)],
  [
    'If-None-Match',
    (bucket) => (key, bytes, condition) =>
      bucket.put(key, bytes, condition?.kind === 'absent' ? undefined : condition),
  ],
  [
    'If-Match',
    (bucket) => (key, bytes, condition) =>
      bucket.put(key, bytes, condition?.kind === 'match' ? undefined : condition),
  ],
]

describe('the probe', () => {
  for (const [what, put] of careless) {
    test(`refuses a store that ignores ${what}, before anything is written`, async () => {
      const bucket = createMemoryBucket()
      const storage = openStorage({ ...bucket, put: put(bucket) }, { probe: true })
      for (let round = 0; round < 2; round++) {
        await expect(storage.create('a', CREATE)).rejects.toMatchObject({
          code: 'UNSUPPORTED',
          message: expect.stringMatching(/does not honour conditional writes/) as string,
        })
      }
      await expect(storage.probe()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
      expect(bucket.objects.size).toBe(0)
    })
  }

  test('refuses a store whose If-Match never holds', async () => {
    const bucket = createMemoryBucket()
    const put: Bucket['put'] = (key, bytes, condition) =>
      condition?.kind === 'match' ? Promise.resolve(undefined) : bucket.put(key, bytes, condition)
    await expect(openStorage({ ...bucket, put }).probe()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('is asked once, is repeated when the store fails for a moment, and leaves nothing', async () => {
    const bucket = createMemoryBucket()
    let puts = 0
    const put: Bucket['put'] = (key, bytes, condition) => {
      if (key.startsWith('probe/') && ++puts === 2) return Promise.reject(noAnswer())
      return bucket.put(key, bytes, condition)
    }
    const storage = openStorage({ ...bucket, put }, { probe: true })
    const repository = await storage.create('a', CREATE)
    const before = puts
    await repository.writeConfig('[a]\n')
    expect(puts).toBe(before)
    expect([...bucket.objects.keys()].filter((key) => key.startsWith('probe/'))).toEqual([])
  })
})
