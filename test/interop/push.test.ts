import { describe, expect, it } from 'vitest'
import { git, gitFails, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { AGAINST_GIT, useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import {
  findFaults,
  listLeftovers,
  listPacks,
  readContents,
  readRefLines,
  snapshotFiles,
} from '../support/repositories.ts'
import { cloneWorkTree, type WorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

/** A served repository with `main` and `other` at the first commit, and a clone that is one commit ahead on both. */
async function prepare(
  name: string,
  speak: readonly string[],
  config?: Record<string, string>,
): Promise<{ served: string; work: WorkTree }> {
  const served = await server.createRepository(name, config)
  const work = await cloneWorkTree(server.url(name), scratch.fresh('push'), speak)
  await work.commit('a', '1')
  await work.git('push', '--quiet', 'origin', 'main', 'main:other')
  await work.commit('a', '2')
  return { served, work }
}

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('an atomic push moves all refs', async () => {
    const { served, work } = await prepare(`atomic-all-v${protocol}.git`, speak)
    await work.git(
      ...speak,
      'push',
      '--quiet',
      '--atomic',
      'origin',
      'main',
      'main:other',
      'main:refs/heads/third',
    )
    const ids = (await readRefLines(served)).map((line) => line.split(' ')[1])
    expect(new Set(ids)).toEqual(new Set([await work.git('rev-parse', 'main')]))
    expect(ids).toHaveLength(3)
  })

  it('an atomic push with one ref that the server refuses moves none', async () => {
    const name = `atomic-none-v${protocol}.git`
    const { served, work } = await prepare(name, speak, { 'receive.denyDeletes': 'true' })
    const before = await readRefLines(served)
    const objects = await snapshotFiles(`${served}/objects`)
    const refusal = await gitFails(
      [...speak, 'push', '--atomic', 'origin', 'main', ':other', 'main:refs/heads/third'],
      {
        cwd: work.path,
      },
    )
    expect(refusal).toMatch(/deletion prohibited|atomic/)
    expect(await readRefLines(served)).toEqual(before)
    // Git takes the objects before it finds out.
    if (!AGAINST_GIT) expect(await snapshotFiles(`${served}/objects`)).toEqual(objects)
  })

  it('without --atomic each ref stands alone', async () => {
    const name = `each-v${protocol}.git`
    const { served, work } = await prepare(name, speak, { 'receive.denyDeletes': 'true' })
    const refusal = await gitFails([...speak, 'push', 'origin', 'main', ':other'], { cwd: work.path })
    expect(refusal).toContain('[remote rejected]')
    expect(refusal).toContain('deletion prohibited')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(await work.git('rev-parse', 'main'))
    expect(await git(['rev-parse', 'other'], { cwd: served })).toBe(await work.git('rev-parse', 'main~1'))
  })

  it('the server denies what is no fast-forward when its config says so, also forced', async () => {
    const name = `deny-v${protocol}.git`
    const { served, work } = await prepare(name, speak, { 'receive.denyNonFastForwards': 'true' })
    await work.git(...speak, 'push', '--quiet', 'origin', 'main')
    const before = await readRefLines(served)
    const refusal = await gitFails([...speak, 'push', '--force', 'origin', 'main~1:main'], { cwd: work.path })
    expect(refusal).toContain('non-fast-forward')
    expect(await readRefLines(served)).toEqual(before)
  })

  it('a ref name that is a directory of another ref is refused', async () => {
    const { served, work } = await prepare(`conflict-v${protocol}.git`, speak)
    const before = await readRefLines(served)
    for (const target of ['refs/heads/main/below', 'refs/heads/other/x/y']) {
      const refusal = await gitFails([...speak, 'push', 'origin', `main:${target}`], { cwd: work.path })
      expect(refusal).toContain('[remote rejected]')
    }
    expect(await readRefLines(served)).toEqual(before)
    expect(await listLeftovers(served)).toEqual([])
  })

  it('a branch cannot be a tag object or a tree', async () => {
    const { served, work } = await prepare(`kinds-v${protocol}.git`, speak)
    await work.git('tag', '-a', '-m', 'x', 'annotated')
    const before = await readRefLines(served)
    for (const source of ['annotated', 'main^{tree}']) {
      const result = await tryGit([...speak, 'push', '--force', 'origin', `${source}:refs/heads/strange`], {
        cwd: work.path,
      })
      expect(result.code).not.toBe(0)
    }
    expect(await readRefLines(served)).toEqual(before)
    await work.git(
      ...speak,
      'push',
      '--quiet',
      'origin',
      'main^{tree}:refs/trees/one',
      'annotated:refs/things/tag',
    )
    expect(await readRefLines(served, 'refs/trees')).toHaveLength(1)
    expect(await findFaults(served)).toEqual([])
  })

  it('pushing what is there already stores no objects again', async () => {
    const { served, work } = await prepare(`again-v${protocol}.git`, speak)
    await work.git(...speak, 'push', '--quiet', 'origin', 'main')
    const objects = await git(['count-objects', '-v'], { cwd: served })
    await work.git(...speak, 'push', '--quiet', 'origin', 'main:refs/heads/same')
    expect(await git(['count-objects', '-v'], { cwd: served })).toBe(objects)
  })

  it('says on the way what git servers say', async () => {
    const { work } = await prepare(`says-v${protocol}.git`, speak)
    const porcelain = await git(
      [...speak, 'push', '--porcelain', 'origin', 'main', ':other', 'main:refs/heads/new'],
      {
        cwd: work.path,
      },
    )
    expect(porcelain).toMatch(/^ \trefs\/heads\/main:refs\/heads\/main\t[0-9a-f]+\.\.[0-9a-f]+$/m)
    expect(porcelain).toContain('-\t:refs/heads/other\t[deleted]')
    expect(porcelain).toContain('*\trefs/heads/main:refs/heads/new\t[new branch]')
    expect(porcelain).toContain('Done')
  })
})

it('a delta against an object that only the server has is completed into a pack of its own', async () => {
  const name = 'thin.git'
  const source = await createHistory('data-like', scratch.fresh('thin'), { scale: 0.2 })
  const served = await server.createRepository(name, { 'receive.unpackLimit': '1' })
  await git(['push', '--quiet', server.url(name), 'main~1:refs/heads/main'], { cwd: source })
  const before = await listPacks(served)
  // The push of one more version of large files is small only when it comes as deltas against what the server has.
  await git(['push', '--quiet', '--thin', server.url(name), 'main'], { cwd: source })
  const [added] = (await listPacks(served)).filter((pack) => !before.includes(pack))
  expect(added).toBeDefined()
  expect(await git(['verify-pack', '-v', `${String(added)}.idx`], { cwd: served })).toMatch(
    /chain length = 1/,
  )
  expect(await readContents(served)).toEqual(await readContents(source))
  expect(await findFaults(served)).toEqual([])
})

it('a pack without deltas, and one with deltas by id, are taken as well', async () => {
  const source = await createHistory('source-like', scratch.fresh('plain'), { scale: 0.3 })
  for (const [at, config] of [
    'pack.window=0',
    'repack.useDeltaBaseOffset=false',
    'pack.depth=4095',
  ].entries()) {
    const name = `pack-kind-${at}.git`
    const served = await server.createRepository(name)
    await git(['-c', config, 'push', '--quiet', '--mirror', server.url(name)], { cwd: source })
    expect(await readContents(served)).toEqual(await readContents(source))
    expect(await findFaults(served)).toEqual([])
  }
})

it('a body of many chunks, sent after a probe, arrives whole', async () => {
  const source = await createHistory('source-like', scratch.fresh('chunked'), { scale: 1 })
  const served = await server.createRepository('chunked.git')
  await git(['-c', 'http.postBuffer=65536', 'push', '--quiet', '--mirror', server.url('chunked.git')], {
    cwd: source,
  })
  expect(await readContents(served)).toEqual(await readContents(source))
  expect(await findFaults(served)).toEqual([])
})

it('many small pushes one after another all arrive, and git can gc what they leave', async () => {
  const served = await server.createRepository('small.git')
  const work = await cloneWorkTree(server.url('small.git'), scratch.fresh('small'))
  for (let count = 0; count < 25; count++) {
    await work.commit(`f${count % 4}`, `${count}\n`)
    await work.git('push', '--quiet', 'origin', 'main')
  }
  expect((await readContents(served)).reachable).toEqual((await readContents(work.path)).reachable)
  expect(await findFaults(served)).toEqual([])
  await git(['gc', '--quiet', '--prune=now'], { cwd: served })
  const clone = scratch.fresh('small-clone')
  await git(['clone', '--quiet', '--mirror', server.url('small.git'), clone])
  expect(await readContents(clone)).toEqual(await readContents(served))
})

it('two pushes to one ref at the same moment: one wins, the other is told, nothing is lost', async () => {
  const name = 'race.git'
  const { served, work } = await prepare(name, [])
  await work.git('push', '--quiet', 'origin', 'main')
  const clones = await Promise.all(
    [0, 1, 2, 3].map(async (at) => {
      const clone = await cloneWorkTree(server.url(name), scratch.fresh('race'), [], 10 * (at + 1))
      await clone.commit(`race-${at}`, String(at))
      return clone
    }),
  )
  const results = await Promise.all(
    clones.map(({ path }) => tryGit(['push', 'origin', 'main'], { cwd: path })),
  )
  const winners = clones.filter((_, at) => results[at]?.code === 0)
  expect(winners).toHaveLength(1)
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(await winners[0]?.git('rev-parse', 'main'))
  for (const { code, stderr } of results) if (code !== 0) expect(stderr).toMatch(/rejected/)
  expect(await findFaults(served)).toEqual([])
  expect(await listLeftovers(served)).toEqual([])
})

it('pushes to different refs at the same moment all succeed', async () => {
  const name = 'parallel.git'
  const { served, work } = await prepare(name, [])
  const branches = Array.from({ length: 8 }, (_, at) => `branch-${at}`)
  const results = await Promise.all(
    branches.map((branch) => tryGit(['push', 'origin', `main:refs/heads/${branch}`], { cwd: work.path })),
  )
  for (const { code, stderr } of results) expect(code, stderr).toBe(0)
  const names = (await readRefLines(served)).map((line) => line.split(' ')[0])
  expect(names).toEqual(expect.arrayContaining(branches.map((branch) => `refs/heads/${branch}`)))
  expect(await findFaults(served)).toEqual([])
})

it('the reflog is kept where the config asks for it', async () => {
  const { served, work } = await prepare('reflog.git', [], { 'core.logAllRefUpdates': 'true' })
  await work.git('push', '--quiet', 'origin', 'main')
  const log = await git(['reflog', 'show', '--format=%H %gs', 'refs/heads/main'], { cwd: served })
  expect(log.split('\n')).toEqual([
    `${await work.git('rev-parse', 'main')} push`,
    `${await work.git('rev-parse', 'main~1')} push`,
  ])
})
