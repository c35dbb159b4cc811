import type { Codecs } from '../src/codec/ports.ts'
import { createMemoryBudget } from '../src/odb/memory-budget.ts'
import { forkRepository } from '../src/repository/fork/fork-repository.ts'
import { planPack, type PackRequest } from '../src/repository/outgoing-pack.ts'
import { openFile } from '../src/repository/read/open-file.ts'
import { openRepository, type Repository } from '../src/repository/repository.ts'
import type { RepositoryStorage } from '../src/storage/repository-storage.ts'
import type { Storage } from '../src/storage/storage.ts'
import type { StorageTask } from './storage-task.ts'

const CACHES = 96 << 20

/** Calls to a store, and the bytes that they moved where that is known. */
export interface Traffic {
  readonly calls: number
  readonly bytes: number
}

/** The same data, opened as a process does that knows nothing. */
export interface OpenedStorage {
  readonly storage: Storage
  /** What it has taken since it was opened; grows. */
  readonly traffic: Traffic
}

interface Opened {
  readonly repository: Repository
  readonly stored: RepositoryStorage
  readonly traffic: Traffic
}

/** Does what servers do with the repositories of a storage, in whatever runtime it is in. */
export class StorageWork {
  readonly #open: () => Promise<OpenedStorage>
  readonly #codecs: Codecs
  readonly #warm = new Map<string, Opened>()

  constructor(open: () => Promise<OpenedStorage>, codecs: Codecs) {
    this.#open = open
    this.#codecs = codecs
  }

  /**
   * Does it.
   *
   * @param pack what is pushed.
   * @returns what it took.
   */
  async run(task: StorageTask, pack: AsyncIterable<Uint8Array> | undefined): Promise<Traffic> {
    if (task.kind === 'fork') return this.#fork(task.key, task.to)
    const isWarm = (task.kind === 'push' || task.kind === 'read') && task.isWarm
    const opened = await this.#opened(task.key, isWarm, task.kind === 'push' && task.isNew)
    const { calls, bytes } = opened.traffic
    const { repository } = opened
    switch (task.kind) {
      case 'push':
        if (pack === undefined) throw new Error('there is no pack to be pushed')
        await receive(repository, pack, task.refs)
        break
      case 'clone':
        await clone(repository)
        break
      case 'fetch':
        await sendPack(repository, { wants: [task.wants], haves: [task.haves], thin: true })
        break
      case 'read':
        await read(opened, task.path)
        break
    }
    const taken = isWarm
      ? { calls: opened.traffic.calls - calls, bytes: opened.traffic.bytes - bytes }
      : { calls: opened.traffic.calls, bytes: opened.traffic.bytes }
    if (!isWarm) await repository.close()
    return taken
  }

  async #fork(key: string, to: string): Promise<Traffic> {
    const { storage, traffic } = await this.#open()
    const fork = await forkRepository(storage, key, to, { codecs: this.#codecs })
    await fork.storage.close()
    return { calls: traffic.calls, bytes: traffic.bytes }
  }

  async #opened(key: string, isWarm: boolean, isNew: boolean): Promise<Opened> {
    const warm = isWarm ? this.#warm.get(key) : undefined
    if (warm !== undefined) return warm
    const { storage, traffic } = await this.#open()
    const stored = isNew
      ? await storage.create(key, { objectFormat: 'sha1', head: 'refs/heads/main' })
      : await storage.open(key)
    if (stored === undefined) throw new Error(`${storage.location} has lost ${key}`)
    const repository = openRepository(stored, {
      codecs: this.#codecs,
      memoryBudget: createMemoryBudget(CACHES),
    })
    const opened = { repository, stored, traffic }
    if (isWarm) this.#warm.set(key, opened)
    return opened
  }

  async close(): Promise<void> {
    for (const { repository } of this.#warm.values()) await repository.close()
    this.#warm.clear()
  }
}

async function receive(
  repository: Repository,
  source: AsyncIterable<Uint8Array>,
  refs: readonly (readonly [name: string, id: string])[],
): Promise<void> {
  const incoming = await repository.receivePack(source)
  const missing = await incoming.findMissing(refs.map(([, id]) => id))
  if (missing !== undefined) throw new Error('the push is not connected')
  const edits = refs.map(([name, id]) => {
    return { name, expect: { kind: 'any' }, target: { kind: 'direct', id } } as const
  })
  const outcomes = await incoming.commit(edits, { atomic: true })
  if (outcomes.some(({ kind }) => kind !== 'applied')) throw new Error('the push was refused')
}

async function clone(repository: Repository): Promise<void> {
  const refs = await repository.storage.listRefs('refs/')
  const wants = refs.flatMap(({ target }) => (target.kind === 'direct' ? [target.id] : []))
  await sendPack(repository, { wants: [...new Set(wants)] })
}

async function sendPack(repository: Repository, request: Partial<PackRequest>): Promise<void> {
  const view = await repository.openView()
  const none = { wants: [], haves: [], clientShallow: [], shallow: [], unshallow: [], includeTags: [] }
  const plan = await planPack(view, { ...none, thin: false, ofsDelta: true, ...request })
  for await (const piece of plan.write()) if (piece.length === 0) throw new Error('an empty piece')
  await view.close()
}

async function read({ repository, stored }: Opened, path: string): Promise<void> {
  const [view, commit = ''] = await Promise.all([
    repository.openView({ objectsOnly: true }),
    repository.resolveRef('HEAD'),
  ])
  const file = await openFile(stored, view, commit, path)
  if (file === undefined) throw new Error(`there is no ${path}`)
  for await (const piece of file.read()) if (piece.length === 0) throw new Error('an empty piece')
  await view.close()
}
