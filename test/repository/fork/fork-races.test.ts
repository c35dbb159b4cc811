import { expect, test } from 'vitest'
import { isGitError } from '../../../src/errors.ts'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { planRepack } from '../../../src/repository/repack/repack.ts'
import { writeStaged } from '../../../src/repository/write-staged.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import { encodeHex } from '../../../src/bytes/hex.ts'
import { indexPack } from '../../../src/pack/indexer/index-pack.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { git, gitLines } from '../../support/git.ts'
import { listObjects, listReachable } from '../../support/repositories.ts'
import {
  codecs,
  createStorage,
  makeHistory,
  open,
  packOf,
  push,
  readRefs,
  STORAGE_KINDS,
  visibleIn,
  type HistoryRef,
} from './fixture.ts'

const MAIN = 'refs/heads/main'

/** Packs all of a repository anew and drops what there was: the hardest thing to happen to who shares packs. */
async function repack(repository: Repository): Promise<void> {
  const { storage, format } = repository
  const packs = await storage.listPacks()
  const refs = await storage.listRefs('refs/')
  const tips = refs.flatMap(({ target }) => (target.kind === 'direct' ? [target.id] : []))
  const view = await repository.openView()
  const chunks: Uint8Array[] = []
  for await (const chunk of (await planRepack(view, [...new Set(tips)])).write()) chunks.push(chunk)
  await view.close()
  const bytes = Buffer.concat(chunks)
  const { index, checksum } = await indexPack(bytes, { format, codecs })
  const pack = await writeStaged(storage, 'pack', (writer) => writer.write(bytes))
  const staged = { pack, index: await writeStaged(storage, 'idx', (writer) => writer.write(index)) }
  const name = `pack-${encodeHex(checksum)}`
  const dropPacks = packs.map((one) => one.name)
  await storage.commit({ addPacks: [{ name, ...staged }], dropPacks })
}

async function forkMany(storage: Storage, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await forkRepository(storage, 'source', `fork${at}`, { codecs, refs: at % 2 === 0 ? 'all' : 'head' })
  }
}

test.each(STORAGE_KINDS)(
  'forks made beside pushes and repacks see one state of their source, on %s',
  { timeout: 300_000 },
  async (kind) => {
    const path = await makeHistory(21, 16)
    const { storage } = await createStorage(kind)
    const commits = await gitLines(['rev-list', '--first-parent', '--reverse', 'main'], { cwd: path })
    const source = openRepository(await storage.create('source', { objectFormat: 'sha1', head: MAIN }), {
      codecs,
    })
    const steps: HistoryRef[] = commits.map((id) => ({ name: MAIN, id }))
    const [first] = steps
    if (first === undefined) throw new Error('no commits')
    await push(source, await packOf(path, [first.id]), [first])
    const packs = await Promise.all(
      steps.slice(1).map(({ id }, at) => packOf(path, [id, `^${steps[at]?.id ?? ''}`], true)),
    )

    let working = true
    const repacking = async (): Promise<void> => {
      const repository = await open(storage, 'source')
      for (; working; await new Promise((resolve) => setTimeout(resolve, 5))) await repack(repository)
    }
    const pushing = async (): Promise<void> => {
      for (const [at, step] of steps.slice(1).entries()) await push(source, packs[at], [step])
    }
    await Promise.all([
      Promise.all([pushing(), forkMany(storage, 8)]).finally(() => {
        working = false
      }),
      repacking(),
    ])
    await source.close()
    const all = await listObjects(path)
    for (let at = 0; at < 8; at++) {
      const fork = await open(storage, `fork${at}`)
      const tip = await fork.resolveRef(MAIN)
      expect(commits).toContain(tip)
      const view = await fork.openView()
      expect(await visibleIn(view, all)).toEqual(await listReachable(path, [tip ?? '']))
      await view.close()
    }
    await storage.delete('source')
    const again = await open(storage, 'fork7')
    const view = await again.openView()
    const tip = await again.resolveRef(MAIN)
    expect(await visibleIn(view, all)).toEqual(await listReachable(path, [tip ?? '']))
    await view.close()
  },
)

test('a fork that finds a pack gone plans anew, and one beside a deletion is whole or refused', async () => {
  for (const kind of STORAGE_KINDS) {
    const path = await makeHistory(22, 8)
    const { storage } = await createStorage(kind)
    const id = await git(['rev-parse', 'main'], { cwd: path })
    const source = openRepository(await storage.create('source', { objectFormat: 'sha1', head: MAIN }), {
      codecs,
    })
    await push(source, await packOf(path, [id]), [{ name: MAIN, id }])
    const others = (await readRefs(path)).filter(({ name }) => /heads\/b/.test(name)).slice(0, 2)
    let conflicts = 0
    const repackingBefore: Storage = {
      ...storage,
      fork: async (from, key, begin) => {
        const next = others[conflicts++]
        if (next !== undefined) {
          await push(source, await packOf(path, [next.id]), [next])
          await repack(source)
        }
        return storage.fork(from, key, begin)
      },
    }
    const forked = await forkRepository(repackingBefore, 'source', 'fork', { codecs, refs: 'head' })
    expect(conflicts).toBe(3)
    expect(forked.objectCount).toBe((await listReachable(path, [id])).length)

    const outcomes = await Promise.allSettled([
      forkRepository(storage, 'source', 'late', { codecs }),
      storage.delete('source'),
      forkRepository(storage, 'source', 'later', { codecs }),
    ])
    for (const [at, key] of [
      [0, 'late'],
      [2, 'later'],
    ] as const) {
      const outcome = outcomes[at]
      if (outcome.status === 'rejected') {
        expect(isGitError(outcome.reason, 'NOT_FOUND')).toBe(true)
        expect(await storage.open(key)).toBeUndefined()
      } else {
        const view = await (await open(storage, key)).openView()
        expect(await visibleIn(view, [id])).toEqual([id])
        await view.close()
      }
    }
    await source.close()
  }
})

test('a partial clone is not forked: nobody promises a fork what it lacks', async () => {
  const path = await makeHistory(23, 6)
  const { storage } = await createStorage('memory')
  const source = openRepository(await storage.create('source', { objectFormat: 'sha1', head: MAIN }), {
    codecs,
  })
  const id = await git(['rev-parse', 'main'], { cwd: path })
  await push(source, await packOf(path, [id]), [{ name: MAIN, id }])
  const [first] = await source.storage.listPacks()
  const promising: Storage = {
    ...storage,
    open: async (key) => {
      const stored = await storage.open(key)
      return (
        stored && { ...stored, listPacks: () => Promise.resolve(first ? [{ ...first, promisor: true }] : []) }
      )
    },
  }
  await source.close()
  await expect(forkRepository(promising, 'source', 'fork', { codecs })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  })
  expect((await storage.list()).keys).toEqual(['source'])
})

test('of two forks of one key one wins, and a fork of nothing or to itself is refused', async () => {
  for (const kind of STORAGE_KINDS) {
    const { storage } = await createStorage(kind)
    await storage.create('source', { objectFormat: 'sha1', head: MAIN })
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => forkRepository(storage, 'source', 'fork', { codecs })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const key of ['fork', 'source']) {
      await expect(forkRepository(storage, 'source', key, { codecs })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      })
    }
    await expect(forkRepository(storage, 'none', 'x', { codecs })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  }
})
