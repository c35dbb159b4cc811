import { readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import type { MaintenanceOptions } from '../../../src/repository/maintenance/maintenance-options.ts'
import type { MaintenanceResult } from '../../../src/repository/maintenance/maintenance-result.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { createBucketStorage } from '../../../src/storage/manifest/manifest-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { git, gitLines } from '../../support/git.ts'
import { acceptedByGit, collectPack, idsOf } from '../collect-pack.ts'
import { createStorage, STORAGE_KINDS } from '../fork/fixture.ts'

export const KINDS = [...STORAGE_KINDS, 'bucket'] as const

/** An empty storage of a kind, closed after the test. */
export async function createAnyStorage(kind: (typeof KINDS)[number]): Promise<Storage> {
  if (kind !== 'bucket') return (await createStorage(kind)).storage
  const storage = createBucketStorage(createMemoryBucket(), { probe: false, prefix: '' })
  onTestFinished(() => storage.close())
  return storage
}

/** Everything the refs of a repository reach, by way of a clone that git accepts; sorted. */
export async function clonedObjects(repository: Repository, into: string): Promise<string[]> {
  const { pack } = await cloneBytes(repository)
  await git(['init', '-q', '--bare', into])
  return idsOf(await acceptedByGit(into, pack))
}

/** The pack that answers a clone. */
export async function cloneBytes(repository: Repository): Promise<{ pack: Buffer; reused: number }> {
  const refs = await repository.storage.listRefs('refs/')
  const wants = refs.flatMap(({ target }) => (target.kind === 'direct' ? [target.id] : []))
  const { pack, plan } = await collectPack(repository, { wants: [...new Set(wants)] })
  return { pack, reused: plan.reusedCount }
}

/** The bytes of a stored pack. */
export async function storedBytes(repository: Repository, name: string): Promise<Buffer> {
  const file = await repository.storage.openPackFile(name, 'pack')
  const [bytes] = await file.read([{ offset: 0, length: file.size }])
  await file.close()
  return Buffer.from(bytes!)
}

/** Calls maintenance until it has nothing left to do; the results of all calls. */
export async function maintainUntilDone(
  repository: Repository,
  options: MaintenanceOptions,
  mostCalls = 50,
): Promise<MaintenanceResult[]> {
  const results: MaintenanceResult[] = []
  do {
    results.push(await maintain(repository, options))
    expect(results.length).toBeLessThanOrEqual(mostCalls)
  } while (results.at(-1)?.done === false)
  return results
}

/** What git says of the files that are derived from packs and refs; it must be content. */
export async function verifyDerived(path: string, hasBitmaps = true): Promise<void> {
  const packs = await readdir(join(path, 'objects/pack'))
  await git(['commit-graph', 'verify'], { cwd: path })
  if (packs.includes('multi-pack-index')) await git(['multi-pack-index', 'verify'], { cwd: path })
  if (!hasBitmaps) return
  const tips = await gitLines(['for-each-ref', '--format=%(objectname)', 'refs/heads/'], { cwd: path })
  for (const tip of tips.slice(0, 3)) await git(['rev-list', '--test-bitmap', tip], { cwd: path })
}

/** Makes every pack of a repository on disk look so many days older. */
export async function agePacks(path: string, days: number): Promise<void> {
  const folder = join(path, 'objects/pack')
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.pack')) continue
    const then = (await stat(join(folder, name))).mtimeMs / 1000 - days * 86_400
    await utimes(join(folder, name), then, then)
  }
}
