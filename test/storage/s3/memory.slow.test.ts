import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startS3Server } from '../../support/buckets/s3-server.ts'
import { useScratch } from '../../support/hooks.ts'
import { writeLargePack } from '../../support/large-pack.ts'
import { fetchLargePack, peakMegabytes, pushLargePack } from '../../support/large-pack-traffic.ts'
import { serveBucketWithin } from '../../support/servers/bucket-servers.ts'

const scratch = useScratch()
/** All that the process has resident, Node itself too. */
const MOST_MEGABYTES = 190

test('a pack larger than the memory of the server is pushed to a bucket and cloned from it', async () => {
  const pack = await writeLargePack(scratch.fresh('large.pack'), { commits: 450, fileBytes: 2500 })
  expect(pack.bytes).toBeGreaterThan(1e6 * MOST_MEGABYTES)
  const store = await startS3Server()
  const args = ['--create-on-push', '--allow-push', '--quiet', '--memory-budget', '16']
  const server = await serveBucketWithin(store, 'large/', 64, ...args)
  try {
    const url = `${server.url}/large.git`
    expect(await pushLargePack(url, pack)).toContain('ok refs/heads/main')
    const afterPush = await peakMegabytes(server.pid)
    const { stated, found, bytes } = await fetchLargePack(url, pack.tip)
    const peak = await peakMegabytes(server.pid)
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB: peak memory ${afterPush.toFixed(0)} MB after the push, ${peak.toFixed(0)} MB after the clone`,
    )
    expect({ stated, bytes }).toEqual({ stated: pack.checksum, bytes: pack.bytes })
    expect(found).toBe(stated)
    expect(peak).toBeLessThanOrEqual(MOST_MEGABYTES)
  } finally {
    await server.close()
    await store.close()
    await rm(pack.path)
  }
}, 1_800_000)
