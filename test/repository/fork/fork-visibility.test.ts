import { expect, test } from 'vitest'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { planRepack } from '../../../src/repository/repack/repack.ts'
import { git, gitBytes, gitLines } from '../../support/git.ts'
import { listObjects, listReachable } from '../../support/repositories.ts'
import { createRandom } from '../../support/random.ts'
import { acceptedByGit, collectPack, idsOf } from '../collect-pack.ts'
import {
  codecs,
  createStorage,
  makeHistory,
  open,
  packOf,
  push,
  pushHistory,
  STORAGE_KINDS,
  temporaryDirectory,
  visibleIn,
} from './fixture.ts'

/** An empty bare repository of git, to judge packs. */
async function judge(): Promise<string> {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  return path
}

test.each([1, 2, 3])(
  'a fork of a random subset of refs sees exactly what a clone of those refs has (%i)',
  { timeout: 300_000 },
  async (seed) => {
    const random = createRandom(seed)
    const path = await makeHistory(seed, 20)
    const { storage } = await createStorage(STORAGE_KINDS[seed % 3] ?? 'memory')
    const refs = await pushHistory(storage, 'source', path, 1 + random.below(4))
    const chosen = refs.filter(() => random.below(3) === 0)
    const names = new Set(chosen.map(({ name }) => name))
    const forked = await forkRepository(storage, 'source', 'fork', {
      codecs,
      refs: (name) => names.has(name),
    })
    expect(forked.refs.map(({ name }) => name)).toEqual(chosen.map(({ name }) => name))

    const all = await listObjects(path)
    const expected =
      chosen.length === 0
        ? []
        : await listReachable(
            path,
            chosen.map(({ id }) => id),
          )
    expect(forked.objectCount).toBe(expected.length)
    const fork = await open(storage, 'fork')
    const view = await fork.openView()
    expect(await visibleIn(view, all)).toEqual(expected)
    if (chosen.length > 0) {
      const wants = chosen.map(({ id }) => id)
      const { pack } = await collectPack(fork, { wants })
      expect(idsOf(await acceptedByGit(await judge(), pack))).toEqual(expected)
      const chunks: Uint8Array[] = []
      for await (const chunk of (await planRepack(view, wants)).write()) chunks.push(chunk)
      expect(idsOf(await acceptedByGit(await judge(), Buffer.concat(chunks)))).toEqual(expected)
    }
    await view.close()

    // A fork of the fork by the same refs is the same; by fewer it is less.
    const again = await forkRepository(storage, 'fork', 'again', { codecs })
    expect(again.objectCount).toBe(expected.length)
    const first = chosen.slice(0, 1)
    const fewer = await forkRepository(storage, 'again', 'fewer', {
      codecs,
      refs: (name) => name === first[0]?.name,
    })
    const less =
      first.length === 0
        ? []
        : await listReachable(
            path,
            first.map(({ id }) => id),
          )
    const lastView = await (await open(storage, 'fewer')).openView()
    expect(await visibleIn(lastView, all)).toEqual(less)
    expect(fewer.objectCount).toBe(less.length)
    await lastView.close()
  },
)

test.each(STORAGE_KINDS)('forks of SHA-256 repositories hide as much, on %s', async (kind) => {
  const path = await makeHistory(9, 10, 'sha256')
  const { storage } = await createStorage(kind)
  const refs = await pushHistory(storage, 'source', path, 2, 'sha256')
  const { storage: stored, objectCount } = await forkRepository(storage, 'source', 'fork', {
    codecs,
    refs: 'head',
  })
  expect(stored.objectFormat).toBe('sha256')
  const main = refs.find(({ name }) => name === 'refs/heads/main')?.id ?? ''
  const expected = await listReachable(path, [main])
  expect(objectCount).toBe(expected.length)
  const view = await (await open(storage, 'fork')).openView()
  expect(await visibleIn(view, await listObjects(path))).toEqual(expected)
  await view.close()
})

test('an object that a visible one names in the same pack is missing while it is hidden, and found where it comes to lie', async () => {
  const path = await makeHistory(13, 12)
  const { storage } = await createStorage('memory')
  const refs = await pushHistory(storage, 'source', path, 1)
  const main = refs.find(({ name }) => name === 'refs/heads/main')?.id ?? ''
  const newest = await listReachable(path, [main, `^${main}^@`])
  const whole = await listReachable(path, [main])
  const source = await open(storage, 'source')
  const sourceView = await source.openView()
  const [pack] = sourceView.packs
  if (pack === undefined) throw new Error('no pack')
  // All that the last commit reaches without its parents, and not the parents.
  const own = await listReachable(path, [`${main}^{tree}`])
  const visible = new Uint8Array(Math.ceil(pack.index.objectCount / 8))
  for (const id of [main, ...own]) {
    const rank = pack.index.find(Buffer.from(id, 'hex'))
    visible[rank >> 3]! |= 1 << (rank & 7)
  }
  const begin = { head: 'refs/heads/main', packs: [{ name: pack.name, visible }] }
  const ref = { name: 'refs/heads/main', target: { kind: 'direct', id: main } } as const
  await sourceView.close()

  await storage.fork('source', 'broken', { ...begin, refs: [ref], shallow: [] })
  const broken = await open(storage, 'broken')
  await expect(collectPack(broken, { wants: [main] })).rejects.toMatchObject({ code: 'MISSING_OBJECT' })
  await storage.fork('source', 'shallow', { ...begin, refs: [ref], shallow: [main] })
  const shallow = await open(storage, 'shallow')
  const { pack: tip } = await collectPack(shallow, { wants: [main] })
  expect(idsOf(await acceptedByGit(await judge(), tip, []))).toEqual([main, ...own].sort())

  // What was hidden arrives in a pack of its own, and the boundary goes.
  expect(newest).toContain(main)
  const parents = await gitLines(['rev-parse', `${main}^@`], { cwd: path })
  for (const repository of [broken, shallow]) {
    const others = parents.map((id, at) => ({ name: `refs/heads/p${at}`, id }))
    await push(repository, await packOf(path, parents), others)
    await repository.storage.commit({ shallow: { add: [], remove: [main] } })
    const view = await repository.openView()
    expect(await visibleIn(view, await listObjects(path))).toEqual(whole)
    await view.close()
    const { pack: all } = await collectPack(repository, { wants: [main] })
    expect(idsOf(await acceptedByGit(await judge(), all))).toEqual(whole)
  }
})

test('a push that names what the fork hides is refused, and one that brings it makes it visible', async () => {
  for (const kind of STORAGE_KINDS) {
    const path = await makeHistory(11, 12)
    const { storage } = await createStorage(kind)
    const refs = await pushHistory(storage, 'source', path, 1)
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    const fork = await open(storage, 'fork')
    const main = refs.find(({ name }) => name === 'refs/heads/main')
    const other = refs.find(({ name }) => name === 'refs/heads/b1')
    if (main === undefined || other === undefined) throw new Error('no branches')
    const hidden = (await listReachable(path, [other.id, `^${main.id}`])).filter((id) => id !== other.id)
    expect(hidden.length).toBeGreaterThan(3)
    const tree = await git(['rev-parse', `${other.id}^{tree}`], { cwd: path })

    // A ref on a hidden commit, a commit on a hidden parent, and one of a hidden tree.
    await expect(push(fork, undefined, [{ name: 'refs/heads/x', id: other.id }])).rejects.toThrow('missing')
    for (const args of [
      ['-p', other.id, `${main.id}^{tree}`],
      ['-p', main.id, tree],
    ]) {
      const id = await git(['commit-tree', '-m', 'mine', ...args], { cwd: path })
      const pack = await gitBytes(['pack-objects', '--stdout', '-q'], { cwd: path, input: `${id}\n` })
      await expect(push(fork, pack, [{ name: 'refs/heads/x', id }])).rejects.toThrow('missing')
    }
    expect((await fork.storage.listRefs('refs/')).map(({ name }) => name)).toEqual(['refs/heads/main'])

    await push(fork, await packOf(path, [other.id, `^${main.id}`]), [other])
    const view = await fork.openView()
    expect(await visibleIn(view, await listObjects(path))).toEqual(
      await listReachable(path, [main.id, other.id]),
    )
    const { pack } = await collectPack(fork, { wants: [main.id, other.id] })
    expect(idsOf(await acceptedByGit(await judge(), pack))).toEqual(
      await listReachable(path, [main.id, other.id]),
    )
    await view.close()
  }
})

test('a thin pack whose deltas rest on what the fork hides is refused', async () => {
  const path = await makeHistory(12, 8)
  const { storage } = await createStorage('memory')
  await pushHistory(storage, 'source', path, 1)
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line} ${Math.imul(line, 2654435761)}`)
  const commit = async (parent: string): Promise<string> => {
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: lines.join('\n') })
    const tree = await git(['mktree'], { cwd: path, input: `100644 blob ${blob}\tsecret\n` })
    return git(['commit-tree', '-m', 'secret', '-p', parent, tree], { cwd: path })
  }
  const secret = await commit('main')
  const source = await open(storage, 'source')
  await push(source, await packOf(path, [secret, '^main']), [{ name: 'refs/heads/secret', id: secret }])
  lines.push('one more')
  const id = await commit(secret)
  const thin = await packOf(path, [id, `^${secret}`], true)

  await forkRepository(storage, 'source', 'fork', { codecs, refs: (name) => name !== 'refs/heads/secret' })
  const refs = [{ name: 'refs/heads/work', id }]
  await expect(push(await open(storage, 'fork'), thin, refs)).rejects.toMatchObject({ code: 'MISSING_BASE' })
  await push(source, thin, refs)
})
