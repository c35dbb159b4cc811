import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { GitError } from '../../../src/errors.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import type { Bucket } from '../../../src/storage/manifest/bucket.ts'
import type { BucketStorage } from '../../../src/storage/manifest/manifest-storage.ts'
import { collectPack } from '../../repository/collect-pack.ts'
import { createMemoryBucket, SMALL_LIMITS, type MemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { wrapBucket } from '../../support/buckets/wrapped-bucket.ts'
import { git } from '../../support/git.ts'
import { noAnswer, openStorage, sleep } from './fixture.ts'

export const codecs = createNodeCodecs()

/** What happens to one call to the store. `die`: it takes place, and is the last one. */
export const FAULTS = ['fail', 'refuse', 'lose', 'duplicate', 'delay', 'die'] as const
export type Fault = (typeof FAULTS)[number]

/** A store that misbehaves at its n-th call, counted from 0. `late` makes what was delayed happen. */
export function faultyBucket(
  bucket: Bucket,
  at: number,
  fault: Fault,
): { readonly bucket: Bucket; readonly calls: () => number; readonly late: () => Promise<void> } {
  let calls = 0
  const delayed: (() => Promise<unknown>)[] = []
  return {
    calls: () => calls,
    late: async () => {
      for (const make of delayed) await make().catch(() => undefined)
    },
    bucket: wrapBucket(bucket, async (_, make) => {
      const call = calls++
      if (fault === 'die' && call > at) throw noAnswer()
      if (call !== at) return make()
      if (fault === 'refuse') throw new GitError('STORAGE', 'the store says no')
      if (fault === 'duplicate') await make()
      if (fault === 'lose' || fault === 'die') await make()
      if (fault === 'delay') delayed.push(make)
      if (fault === 'duplicate') return make()
      throw noAnswer()
    }),
  }
}

/** Packs that git has found to be whole, by their bytes. */
const accepted = new Set<string>()

/** What everything that the refs of a repository reach is: a clone of it, which git finds to be whole. Its refs are the result. */
export async function cloneWhole(
  storage: BucketStorage,
  key: string,
  scratch: string,
): Promise<Map<string, string>> {
  const stored = await storage.open(key)
  if (stored === undefined) return new Map()
  const repository = openRepository(stored, { codecs })
  const refs = await stored.listRefs('refs/')
  const ids = new Map(refs.map(({ name, target }) => [name, target.kind === 'direct' ? target.id : '']))
  const { pack } = await collectPack(repository, { wants: [...new Set(ids.values())] })
  await repository.close()
  const digest = createHash('sha1').update(pack).digest('hex')
  if (ids.size > 0 && !accepted.has(digest)) {
    await git(['index-pack', '--stdin', '--strict', '--fsck-objects'], { cwd: scratch, input: pack })
    accepted.add(digest)
  }
  return ids
}

/** Collects garbage with no grace, and sees that exactly the files that manifests list are left. */
export async function assertCollectable(bucket: MemoryBucket): Promise<void> {
  const storage = openStorage(bucket, { gracePeriod: 0 })
  for (let round = 0; round < 3; round++) {
    await sleep(2)
    await storage.collectGarbage()
  }
  const listed = new Set<string>()
  const owners = new Set<string>()
  for (const [key, { bytes }] of bucket.objects) {
    if (!key.startsWith('m/') || bytes.length === 0) continue
    const manifest = JSON.parse(new TextDecoder().decode(bytes)) as {
      id: string
      packs: { pack: string; idx: string; mask?: string }[]
      refs: { tables: { file: string }[] }
    }
    owners.add(manifest.id)
    for (const { pack, idx, mask } of manifest.packs)
      for (const file of [pack, idx, mask]) if (file) listed.add(file)
    for (const { file } of manifest.refs.tables) listed.add(file)
  }
  const found = [...bucket.objects.keys()].flatMap((key) => {
    const [, owner = '', file = ''] = /^r\/(\w+)\/f\/(\w+)$/.exec(key) ?? []
    return owner === '' ? [] : [`${owner}/${file}`]
  })
  expect(found.sort()).toEqual([...listed].sort())
  const left = [...bucket.objects.keys()]
    .filter((key) => key.startsWith('r/'))
    .map((key) => key.split('/')[1] ?? '')
  const used = new Set([...owners, ...[...listed].map((file) => file.split('/')[0] ?? '')])
  expect(new Set(left)).toEqual(used)
}

export function copyOf(bucket: MemoryBucket): MemoryBucket {
  return createMemoryBucket(SMALL_LIMITS, bucket)
}
