import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import type { BucketStorage } from '../../../src/storage/manifest/manifest-storage.ts'
import { createMemoryBucket, type MemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { collectPack } from '../../repository/collect-pack.ts'
import { git, gitBytes } from '../../support/git.ts'
import { openWorkTree } from '../../support/work-tree.ts'
import { assertCollectable, cloneWhole, codecs, copyOf, FAULTS, faultyBucket, type Fault } from './faults.ts'
import { CREATE, openStorage, set, sleep, stagePack } from './fixture.ts'

const MAIN = 'refs/heads/main'

interface Push {
  readonly pack: Uint8Array
  readonly id: string
}

let top: string
let scratch: string
let pushes: readonly Push[]
/** A repository `a` with two packs, and its fork `g`. */
let begin: MemoryBucket

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-faults-'))
  scratch = join(top, 'scratch.git')
  await git(['init', '-q', '--bare', scratch])
  await git(['init', '-q', '-b', 'main', join(top, 'tree')])
  const tree = openWorkTree(join(top, 'tree'))
  const made: Push[] = []
  for (const [at, size] of [2000, 3000, 150_000].entries()) {
    const id = await tree.commit(`file-${at}`, randomBytes(size).toString('base64'))
    const before = made.at(-1)
    const range = before === undefined ? id : `${before.id}..${id}`
    const pack = await gitBytes(['pack-objects', '--revs', '--stdout', '-q'], {
      cwd: tree.path,
      input: `${range}\n`,
    })
    made.push({ pack, id })
  }
  pushes = made
  begin = createMemoryBucket()
  const storage = openStorage(begin)
  await storage.create('a', CREATE)
  for (const one of made.slice(0, 2)) await push(storage, one)
  await forkRepository(storage, 'a', 'g', { codecs })
})

afterAll(() => rm(top, { recursive: true, force: true }))

async function push(storage: BucketStorage, { pack, id }: Push): Promise<boolean> {
  const stored = await storage.open('a')
  if (stored === undefined) throw new Error('a is not there')
  const repository = openRepository(stored, { codecs })
  try {
    const source = (async function* () {
      for (let at = 0; at < pack.length; at += 50_000)
        yield await Promise.resolve(pack.slice(at, at + 50_000))
    })()
    const incoming = await repository.receivePack(source)
    const edit = { name: MAIN, expect: { kind: 'any' }, target: { kind: 'direct', id } } as const
    const [outcome] = await incoming.commit([edit], { atomic: true })
    return outcome?.kind === 'applied'
  } finally {
    await repository.close()
  }
}

/** Makes one pack of all, and drops the others. */
async function repack(storage: BucketStorage): Promise<void> {
  const stored = await storage.open('a')
  if (stored === undefined) return
  const repository = openRepository(stored, { codecs })
  try {
    const old = (await stored.listPacks()).map(({ name }) => name)
    const { pack } = await collectPack(repository, { wants: [pushes[1]?.id ?? ''] })
    const incoming = await repository.receivePack(
      (async function* () {
        yield await Promise.resolve(new Uint8Array(pack))
      })(),
    )
    await incoming.commit([], { atomic: true })
    const kept = (await stored.listPacks()).map(({ name }) => name).filter((name) => !old.includes(name))
    if (kept.length > 0) await stored.commit({ dropPacks: old })
  } finally {
    await repository.close()
  }
}

interface Operation {
  readonly name: string
  readonly run: (storage: BucketStorage) => Promise<unknown>
  /** What must be so when it succeeded. */
  readonly succeeded: (good: BucketStorage) => Promise<void>
  readonly gracePeriod?: number
}

const operations: readonly Operation[] = [
  {
    name: 'a push',
    run: (storage) => push(storage, pushes[2] ?? { pack: new Uint8Array(0), id: '' }),
    succeeded: async (good) => {
      expect((await cloneWhole(good, 'a', scratch)).get(MAIN)).toBe(pushes[2]?.id)
    },
  },
  {
    name: 'a fork',
    run: (storage) => forkRepository(storage, 'a', 'f', { codecs }),
    succeeded: async (good) => {
      expect((await cloneWhole(good, 'f', scratch)).get(MAIN)).toBe(pushes[1]?.id)
    },
  },
  {
    name: 'deleting the source of a fork',
    run: (storage) => storage.delete('a'),
    succeeded: async (good) => {
      expect(await good.open('a')).toBeUndefined()
    },
  },
  { name: 'a repack', run: repack, succeeded: () => Promise.resolve() },
  {
    name: 'collecting garbage',
    gracePeriod: 0,
    run: async (storage) => {
      await sleep(2)
      await storage.collectGarbage()
    },
    succeeded: () => Promise.resolve(),
  },
]

async function runWithFault(
  { name, run, succeeded, gracePeriod }: Operation,
  at: number,
  fault: Fault,
): Promise<boolean> {
  const bucket = copyOf(begin)
  if (gracePeriod === 0) {
    const repository = await openStorage(bucket).open('g')
    if (repository !== undefined) {
      await stagePack(repository, 'b', 100)
      await repository
        .commit({ refs: [set('refs/heads/x', 0)] })
        .then(() =>
          repository.commit({ refs: [{ name: 'refs/heads/x', expect: { kind: 'any' }, target: null }] }),
        )
    }
    await openStorage(bucket).delete('a')
  }
  const faulty = faultyBucket(bucket, at, fault)
  const retries = { attempts: 3, firstWait: 0, longestWait: 0 }
  const storage = openStorage(faulty.bucket, {
    retries,
    ...(gracePeriod === undefined ? {} : { gracePeriod }),
  })
  const outcome = await run(storage).then(
    () => 'done',
    () => 'failed',
  )
  const reached = faulty.calls() > at
  await faulty.late()
  const good = openStorage(bucket)
  if (outcome === 'done') await succeeded(good)
  const check = async (): Promise<void> => {
    const a = await cloneWhole(good, 'a', scratch)
    const isThere = (await good.open('a')) !== undefined
    if (isThere) expect([pushes[1]?.id, ...(name === 'a push' ? [pushes[2]?.id] : [])]).toContain(a.get(MAIN))
    else expect(['deleting the source of a fork', 'collecting garbage']).toContain(name)
    expect((await cloneWhole(good, 'g', scratch)).get(MAIN)).toBe(pushes[1]?.id)
    const fork = await cloneWhole(good, 'f', scratch)
    if (fork.size > 0) expect(fork.get(MAIN)).toBe(pushes[1]?.id)
  }
  await check()
  await assertCollectable(bucket)
  await check()
  return reached
}

describe('whatever happens to one call to the store', () => {
  for (const operation of operations) {
    for (const fault of FAULTS) {
      test(`${operation.name}: ${fault}: nothing that was acknowledged is lost, and garbage can be collected`, async () => {
        let at = 0
        while (await runWithFault(operation, at, fault)) at++
        expect(at).toBeGreaterThan(1)
      })
    }
  }
})
