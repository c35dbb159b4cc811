import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storageConformance } from '../../../src/storage/conformance/index.ts'
import { createS3Storage } from '../../../src/storage/s3/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { startS3Server, type S3Server } from '../../support/buckets/s3-server.ts'

describe('storage in S3', () => {
  let server: S3Server
  const prefixes = new WeakMap<Storage, string>()
  let opened = 0

  beforeAll(async () => {
    server = await startS3Server()
  })

  afterAll(() => server.close())

  const open = (prefix: string): Promise<Storage> => {
    const storage = createS3Storage({ ...server, prefix })
    prefixes.set(storage, prefix)
    return Promise.resolve(storage)
  }

  describe('conforms', () => {
    const cases = storageConformance({
      createStorage: () => open(`case-${++opened}/`),
      reopen: (storage) => open(prefixes.get(storage) ?? ''),
    })
    for (const { name, run } of cases) test(name, run)
  })

  test('says what is wrong with credentials, a bucket or an endpoint', async () => {
    const create = { objectFormat: 'sha1', head: 'refs/heads/main' } as const
    const wrongKey = createS3Storage({ ...server, secretAccessKey: 'wrong' })
    await expect(wrongKey.open('a')).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringMatching(/403 SignatureDoesNotMatch/) as string,
    })
    const wrongBucket = createS3Storage({ ...server, bucket: 'other' })
    await expect(wrongBucket.open('a')).rejects.toMatchObject({ code: 'STORAGE' })
    await expect(wrongBucket.create('a', create)).rejects.toMatchObject({
      message: expect.stringMatching(/404 NoSuchBucket/) as string,
    })
    const retries = { attempts: 2, firstWait: 1, longestWait: 1 }
    const nobody = createS3Storage({ ...server, endpoint: 'http://127.0.0.1:1', retries })
    await expect(nobody.open('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

test('options that cannot work are refused at once', () => {
  const good = { endpoint: 'https://host', bucket: 'git', accessKeyId: 'key', secretAccessKey: 'secret' }
  for (const bad of [
    { endpoint: 'host' },
    { endpoint: 'ftp://host' },
    { endpoint: 'https://host/?query' },
    { bucket: 'a/b' },
    { accessKeyId: '' },
    { partBytes: (5 << 20) - 1 },
    { partBytes: 2 ** 31 },
    { prefix: 'no-slash' },
    { prefix: '/' },
    { gracePeriod: -1 },
  ]) {
    expect(() => createS3Storage({ ...good, ...bad }), JSON.stringify(bad)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error,
    )
  }
})
