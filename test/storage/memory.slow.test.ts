import { mkdir, rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDiskS3Server } from '../support/buckets/disk-s3-server.ts'
import { useScratch } from '../support/hooks.ts'
import { writeLargePack, type LargePack } from '../support/large-pack.ts'
import { fetchLargePack, pushLargePack } from '../support/large-pack-traffic.ts'
import { serveBucketBy } from '../support/servers/bucket-servers.ts'
import { watchMemory, type MemoryPeaks, type MemoryWatch } from '../support/servers/memory-watch.ts'
import { startServe, type PackstoneServer } from '../support/servers/packstone.ts'

const MEGABYTE = 1e6
/** 128 MiB. */
const MOST_HEAP_AND_BUFFERS = (128 << 20) / MEGABYTE
const ARGS = ['--create-on-push', '--allow-push', '--quiet', '--memory-budget', '16']
const NODE_ARGS = ['--max-old-space-size=64']
const HOUR = 3_600_000
/** What a bucket is asked for at once, at most. */
const REQUEST = 8 << 20
const COMMITS = 2750

const scratch = useScratch()
let pack: LargePack

beforeAll(async () => {
  pack = await writeLargePack(scratch.fresh('large.pack'), { commits: COMMITS, fileBytes: 2500 })
}, HOUR)

afterAll(() => rm(pack.path, { force: true }))

test(
  'a database takes a pack of 1 GB and 500 000 objects and gives it back with 128 MiB of heap and buffers',
  { timeout: HOUR },
  async () => {
    const watch = watchMemory(scratch.fresh('peak'))
    const data = scratch.fresh('data')
    const server = await startServe(
      ['--plain', '--storage', 'sqlite', '--data', data, ...ARGS],
      [...NODE_ARGS, ...watch.nodeArgs],
      watch.environment,
    )
    try {
      await pushAndClone('sqlite', server, watch)
    } finally {
      await server.close()
      await rm(data, { recursive: true })
    }
  },
)

test(
  'a bucket takes a pack of 1 GB and 500 000 objects and gives it back with 128 MiB of heap and buffers, in few requests',
  { timeout: HOUR },
  async () => {
    const watch = watchMemory(scratch.fresh('peak'))
    const folder = scratch.fresh('bucket')
    await mkdir(folder)
    const store = await startDiskS3Server(folder)
    const countGets = (): number => store.requests.get('GET') ?? 0
    const server = await serveBucketBy(
      store,
      'large/',
      ARGS,
      [...NODE_ARGS, ...watch.nodeArgs],
      watch.environment,
    )
    try {
      const before = countGets()
      await push('s3', server, watch)
      const pushed = countGets()
      await clone('s3', server, watch)
      const cloned = countGets()
      console.log(`${pushed - before} GET requests of the push, ${cloned - pushed} of the clone`)
      expect(cloned - pushed).toBeLessThanOrEqual(pack.bytes / REQUEST + 10)
      expect(pushed - before).toBeLessThanOrEqual((8 * pack.bytes) / REQUEST + 10)
    } finally {
      await server.close()
      await store.close()
    }
  },
)

async function pushAndClone(name: string, server: PackstoneServer, watch: MemoryWatch): Promise<void> {
  await push(name, server, watch)
  await clone(name, server, watch)
}

async function push(name: string, server: PackstoneServer, watch: MemoryWatch): Promise<void> {
  const began = performance.now()
  expect(await pushLargePack(`${server.url}/large.git`, pack)).toContain('ok refs/heads/main')
  assertSmall(`${name}: push`, began, await watch.read(server.pid))
}

async function clone(name: string, server: PackstoneServer, watch: MemoryWatch): Promise<void> {
  const began = performance.now()
  const { stated, found, bytes } = await fetchLargePack(`${server.url}/large.git`, pack.tip)
  expect({ stated, bytes }).toEqual({ stated: pack.checksum, bytes: pack.bytes })
  expect(found).toBe(stated)
  assertSmall(`${name}: clone`, began, await watch.read(server.pid))
}

function assertSmall(what: string, began: number, { heapAndBuffers, resident }: MemoryPeaks): void {
  console.log(
    `${what} of ${(pack.bytes / MEGABYTE).toFixed(0)} MB in ${((performance.now() - began) / 1000).toFixed(0)} s: ` +
      `peak ${heapAndBuffers.toFixed(0)} MB of heap and buffers, ${resident.toFixed(0)} MB resident`,
  )
  expect(heapAndBuffers).toBeLessThanOrEqual(MOST_HEAP_AND_BUFFERS)
}
