import { expect } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { forkRepository } from '../../src/repository/fork/fork-repository.ts'
import { maintain } from '../../src/repository/maintenance/maintain.ts'
import { planPack } from '../../src/repository/outgoing-pack.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createFaultyStorage, type Fault } from '../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { git, gitBytes } from './git.ts'

/*
 * Crash points: one call of a storage after the other goes wrong while something is pushed, forked, deleted, repacked or collected. Whatever happens,
 * what was acknowledged is there, every repository can be cloned whole, nothing is half done, trying again works, and what was left lying
 * about can be collected.
 */

const codecs = createNodeCodecs()
const MAIN = 'refs/heads/main'
const SIDE = 'refs/heads/side'

/** How the crash points of an adapter are found. */
export interface CrashPointOptions {
  /** Makes an empty storage. */
  readonly createStorage: () => Promise<Storage>
  /** Another storage over the same data, as the next process opens it; the same one where data dies with it. */
  readonly reopen: (storage: Storage) => Promise<Storage>
  /** Collects garbage as if its grace period were over, and tells what is left beside what is stored: nothing should be. */
  readonly collectGarbage: (storage: Storage) => Promise<readonly string[]>
  readonly dispose: (storage: Storage) => Promise<void>
}

export const CRASH_WORKS = ['push', 'fork', 'delete', 'maintain', 'gc'] as const
export type CrashWork = (typeof CRASH_WORKS)[number]

/** A small history, and the packs to push it with. */
export interface CrashHistory {
  readonly base: { readonly id: string; readonly side: string; readonly pack: Uint8Array }
  readonly next: { readonly id: string; readonly pack: Uint8Array }
  /** How many objects there are to each tip. */
  readonly counts: Readonly<Record<string, number>>
}

/** Makes the history in an empty directory. */
export async function makeCrashHistory(path: string): Promise<CrashHistory> {
  await git(['init', '-q', '--bare', path])
  const commit = async (content: string, parents: readonly string[]): Promise<string> => {
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: content })
    const tree = await git(['mktree'], { cwd: path, input: `100644 blob ${blob}\tfile\n` })
    const args = parents.flatMap((parent) => ['-p', parent])
    return git(['commit-tree', '-m', content.slice(0, 10), ...args, tree], { cwd: path })
  }
  const text = 'some line of text\n'.repeat(50)
  const first = await commit(text, [])
  const id = await commit(`${text}more\n`, [first])
  const side = await commit(`${text}aside\n`, [first])
  const next = await commit(`${text}more\nand more\n`, [id])
  const pack = (revisions: string): Promise<Buffer> =>
    gitBytes(['pack-objects', '--revs', '--stdout', '-q', '--thin'], { cwd: path, input: revisions })
  return {
    base: { id, side, pack: await pack(`${id}\n${side}\n`) },
    next: { id: next, pack: await pack(`${next}\n^${id}\n^${side}\n`) },
    counts: { [id]: 6, [side]: 6, [next]: 9 },
  }
}

/**
 * Lets a fault befall every call of a storage in turn.
 *
 * @param every look only at each n-th call, where time matters.
 * @returns the number of calls that the work takes when all goes well.
 */
export async function checkCrashPoints(
  options: CrashPointOptions,
  history: CrashHistory,
  work: CrashWork,
  fault: Fault,
  every = 1,
): Promise<number> {
  for (let at = 0; ; at += every) {
    const storage = await options.createStorage()
    await prepare(storage, history, work)
    const faulty = createFaultyStorage(storage, { fault, at })
    const isDone = await carryOut(faulty.storage, history, work).then(
      () => true,
      () => false,
    )
    const name = `${work}, ${fault} at call ${at} (${faulty.calls[at] ?? 'none'})`
    if (fault === 'delay' || fault === 'duplicate' || at >= faulty.calls.length) {
      expect(isDone, `${name}: the work itself`).toBe(true)
    }
    const next = await options.reopen(storage)
    await judge(next, history, work, isDone, name)
    expect(await options.collectGarbage(next), `${name}: garbage that is left`).toEqual([])
    await expectWhole(next, 'source', history, name)
    await options.dispose(next)
    if (at >= faulty.calls.length) return faulty.calls.length
  }
}

/** `source` with two branches, and `sibling`, a fork of it that sees one of them. */
async function prepare(storage: Storage, { base }: CrashHistory, work: CrashWork): Promise<void> {
  const repository = openRepository(await storage.create('source', { objectFormat: 'sha1', head: MAIN }), {
    codecs,
  })
  const incoming = await repository.receivePack(once(base.pack))
  const refs = [
    { name: MAIN, expect: { kind: 'absent' }, target: { kind: 'direct', id: base.id } },
    { name: SIDE, expect: { kind: 'absent' }, target: { kind: 'direct', id: base.side } },
  ] as const
  await incoming.commit(refs, { atomic: false })
  if (work === 'gc') {
    await repository.storage.commit({ refs: [{ name: SIDE, expect: { kind: 'any' }, target: null }] })
  }
  await repository.close()
  await forkRepository(storage, 'source', 'sibling', { codecs, refs: 'head' }).then((fork) =>
    fork.storage.close(),
  )
}

async function carryOut(storage: Storage, history: CrashHistory, work: CrashWork): Promise<void> {
  if (work === 'delete') {
    await storage.delete('sibling')
  } else if (work === 'fork') {
    const fork = await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    await fork.storage.close()
  } else if (work === 'push') {
    await pushNext(storage, history)
  } else {
    // One of its branches is not reached any more, and the sibling's only pack is partial.
    for (const key of ['source', 'sibling']) await maintainOne(storage, key, work)
  }
}

async function maintainOne(storage: Storage, key: string, work: 'maintain' | 'gc'): Promise<void> {
  const stored = await storage.open(key)
  if (stored === undefined) throw new Error(`${key} is gone`)
  const repository = openRepository(stored, { codecs })
  try {
    await maintain(repository, work === 'gc' ? { mode: 'gc', gracePeriod: 0 } : { mode: 'full' })
  } finally {
    await repository.close()
  }
}

async function pushNext(storage: Storage, { base, next }: CrashHistory): Promise<void> {
  const stored = await storage.open('source')
  if (stored === undefined) throw new Error('the source is gone')
  const repository = openRepository(stored, { codecs })
  try {
    const incoming = await repository.receivePack(once(next.pack))
    try {
      if ((await incoming.findMissing([next.id])) !== undefined) throw new Error('the push is not connected')
      const expectation = { kind: 'id', id: base.id } as const
      const edit = { name: MAIN, expect: expectation, target: { kind: 'direct', id: next.id } } as const
      const [outcome] = await incoming.commit([edit], { atomic: false, events: () => ['pushed'] })
      if (outcome?.kind !== 'applied') throw new Error('the push was rejected')
    } finally {
      await incoming.discard()
    }
  } finally {
    await repository.close()
  }
}

async function judge(
  storage: Storage,
  history: CrashHistory,
  work: CrashWork,
  isDone: boolean,
  name: string,
): Promise<void> {
  const { base, next } = history
  const source = await expectWhole(storage, 'source', history, name)
  if (work === 'push') {
    const moved = source.get(MAIN) === next.id
    if (isDone) expect(moved, `${name}: an acknowledged push`).toBe(true)
    else expect([base.id, next.id], name).toContain(source.get(MAIN))
    const stored = await storage.open('source')
    const events = (await stored?.readEvents(10))?.map(({ text }) => text)
    await stored?.close()
    expect(events, `${name}: events`).toEqual(moved ? ['pushed'] : [])
    if (!moved) await pushNext(storage, history)
    expect((await expectWhole(storage, 'source', history, name)).get(MAIN), name).toBe(next.id)
  } else {
    expect(source.get(MAIN), name).toBe(base.id)
  }
  const { keys } = await storage.list()
  if (work === 'fork') {
    if (isDone) expect(keys, name).toContain('fork')
    if (!keys.includes('fork')) await carryOut(storage, history, 'fork')
    expect([...(await expectWhole(storage, 'fork', history, name))], name).toEqual([[MAIN, base.id]])
  }
  if (work === 'maintain' || work === 'gc') {
    await carryOut(storage, history, work)
    for (const key of ['source', 'sibling']) {
      const stored = await storage.open(key)
      const packs = await stored?.listPacks()
      await stored?.close()
      expect(
        packs?.filter(({ partial }) => partial === true),
        `${name}: partial packs of ${key}`,
      ).toEqual([])
      expect(packs, `${name}: packs of ${key}`).toHaveLength(1)
    }
  }
  if (work === 'delete') {
    if (isDone) expect(keys, name).not.toContain('sibling')
    else if (keys.includes('sibling')) await storage.delete('sibling')
    expect((await storage.list()).keys, name).toEqual(['source'])
  } else {
    expect([...(await expectWhole(storage, 'sibling', history, name))], name).toEqual([[MAIN, base.id]])
  }
}

/**
 * Clones a repository, every object by every rule of fsck; gives its refs. The clone has what the refs reach and nothing else.
 */
async function expectWhole(
  storage: Storage,
  key: string,
  { counts }: CrashHistory,
  name: string,
): Promise<Map<string, string>> {
  const stored = await storage.open(key)
  if (stored === undefined) throw new Error(`${name}: ${key} is gone`)
  const repository = openRepository(stored, { codecs })
  try {
    const refs = new Map<string, string>()
    for (const { name: ref, target } of await stored.listRefs('refs/')) {
      if (target.kind === 'direct') refs.set(ref, target.id)
    }
    const wants = [...refs.values()]
    const clone = openRepository(
      await createMemoryStorage().create('clone', { objectFormat: 'sha1', head: MAIN }),
      { codecs },
    )
    const incoming = await clone.receivePack(packOf(repository, wants), { fsck: {} })
    expect(await incoming.findMissing(wants), `${name}: a clone of ${key}`).toBeUndefined()
    // Both branches begin with the same three objects.
    const expected = wants.reduce((sum, id) => sum + (counts[id] ?? NaN), 0) - 3 * (wants.length - 1)
    expect(incoming.objectCount, `${name}: objects in a clone of ${key}`).toBe(expected)
    await incoming.discard()
    await clone.close()
    return refs
  } finally {
    await repository.close()
  }
}

async function* packOf(repository: Repository, wants: readonly string[]): AsyncGenerator<Uint8Array> {
  const view = await repository.openView()
  try {
    const nothing = { haves: [], clientShallow: [], shallow: [], unshallow: [], includeTags: [] }
    const plan = await planPack(view, { wants, ...nothing, thin: false, ofsDelta: true })
    yield* plan.write()
  } finally {
    await view.close()
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
