import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createMemoryBudget } from '../../../src/odb/memory-budget.ts'
import { openFile } from '../../../src/repository/read/open-file.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { collectPack } from '../../repository/collect-pack.ts'
import { createMemoryBucket, type MemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls, type BucketCall } from '../../support/buckets/wrapped-bucket.ts'
import { git, gitBytes } from '../../support/git.ts'
import { openWorkTree } from '../../support/work-tree.ts'
import { CREATE, openStorage } from './fixture.ts'

const LIMITS = { partBytes: 8 << 20, maxParts: 10_000, maxDeletes: 1000 }
const codecs = createNodeCodecs()

let top: string
let bucket: MemoryBucket
let head: string
let packSize: number

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-round-trips-'))
  await git(['init', '-q', '-b', 'main', top])
  const tree = openWorkTree(top)
  for (let at = 0; at < 10; at++) {
    const folder = join(top, 'src', `module-${at}`, 'deep')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `file-${at}`), `file ${at}\n`.repeat(50))
    head = await tree.commit(`data-${at}`, randomBytes(2_500_000).toString('latin1'))
  }
  const pack = await gitBytes(['pack-objects', '--revs', '--stdout', '-q'], { cwd: top, input: `${head}\n` })
  packSize = pack.length
  bucket = createMemoryBucket(LIMITS)
  const repository = openRepository(await openStorage(bucket).create('a', CREATE), { codecs })
  const incoming = await repository.receivePack(pieces(pack))
  const target = { kind: 'direct', id: head } as const
  await incoming.commit([{ name: 'refs/heads/main', expect: { kind: 'absent' }, target }], { atomic: true })
}, 120_000)

afterAll(() => rm(top, { recursive: true, force: true }))

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 20)
    yield await Promise.resolve(bytes.slice(at, at + (1 << 20)))
}

/** A process that knows nothing, and the calls that it makes. */
async function openCold(): Promise<{
  calls: BucketCall[]
  repository: Repository
  storage: RepositoryStorage
}> {
  const counted = countCalls(bucket)
  const storage = await openStorage(counted.bucket).open('a')
  if (storage === undefined) throw new Error('not there')
  const memoryBudget = createMemoryBudget(64 << 20)
  return { calls: counted.calls, storage, repository: openRepository(storage, { codecs, memoryBudget }) }
}

describe('requests to a bucket', () => {
  test.each(['HEAD', 'refs/heads/main'])(
    'of a process that knows nothing and reads one file of %s: at most 6',
    async (revision) => {
      const { calls, repository, storage } = await openCold()
      const [view, commit = ''] = await Promise.all([
        repository.openView({ objectsOnly: true }),
        repository.resolveRef(revision),
      ])
      const file = await openFile(storage, view, commit, 'src/module-3/deep/file-3')
      const bytes: Uint8Array[] = []
      for await (const piece of file?.read() ?? []) bytes.push(piece)
      expect(Buffer.concat(bytes).toString()).toBe('file 3\n'.repeat(50))
      expect(calls.length).toBeLessThanOrEqual(5)
      await view.close()

      calls.length = 0
      const [again, same = ''] = await Promise.all([
        repository.openView({ objectsOnly: true }),
        repository.resolveRef(revision),
      ])
      await openFile(storage, again, same, 'src/module-3/deep/file-3')
      expect(calls.map(({ method, key }) => `${method} ${key}`)).toEqual(['get m/a'])
      await again.close()
    },
  )

  test('of a full clone of a consolidated repository: at most one for each 8 MiB, and 10', async () => {
    const { calls, repository } = await openCold()
    const { pack } = await collectPack(repository, { wants: [head] })
    expect(pack.length).toBe(packSize)
    expect(calls.length).toBeLessThanOrEqual(Math.ceil(packSize / (8 << 20)) + 10)
  })
})
