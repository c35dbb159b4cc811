import { onTestFinished } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { streamRevisions } from '../pack/git-packs.ts'

const codecs = createNodeCodecs()

/** Opens a bare repository on disk until the test ends. */
export async function openOnDisk(path: string): Promise<Repository> {
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const repository = openRepository(storage, { codecs, memoryBudget: createMemoryBudget(16 << 20) })
  onTestFinished(() => repository.close())
  return repository
}

/** An empty repository in memory. */
export async function createInMemory(): Promise<Repository> {
  const storage = await createMemoryStorage().create('test', {
    objectFormat: 'sha1',
    head: 'refs/heads/main',
  })
  const repository = openRepository(storage, { codecs, memoryBudget: createMemoryBudget(16 << 20) })
  onTestFinished(() => repository.close())
  return repository
}

/** Yields bytes in chunks. */
export async function* inChunks(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve()
    yield bytes.subarray(at, at + size)
  }
}

/** How the same objects may be stored: as git left them, or as we received them. */
export const WAYS = ['made by git', 'received'] as const

/** Opens a view of everything in the repository at `path`, until the test ends. */
export async function openViewOf(path: string, way: (typeof WAYS)[number]): Promise<ObjectView> {
  let repository: Repository
  if (way === 'made by git') {
    repository = await openOnDisk(path)
  } else {
    repository = await createInMemory()
    const pack = await streamRevisions(path, ['--delta-base-offset'], ['--all'])
    const incoming = await repository.receivePack(inChunks(pack))
    await incoming.commit([], { atomic: false })
  }
  const view = await repository.openView()
  onTestFinished(() => view.close())
  return view
}
