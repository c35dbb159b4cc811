import { readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { GitError } from '../../../src/errors.ts'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import { openOnDisk } from '../../graph/views.ts'
import { git, gitLines } from '../../support/git.ts'
import { gitError } from '../../support/git-error.ts'
import { createHistory, type HistoryName } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { findFaults, listObjects, readContents } from '../../support/repositories.ts'
import { agePacks, cloneBytes, maintainUntilDone, storedBytes, verifyDerived } from './fixture.ts'

const scratch = useScratch()

/** A history in several packs and loose objects, as git leaves it after a while. */
async function createScattered(name: HistoryName): Promise<string> {
  const path = await createHistory(name, scratch.fresh(name), { scale: 0.1 })
  await git(['repack', '-adq'], { cwd: path })
  const tree = await git(['rev-parse', 'HEAD^{tree}'], { cwd: path })
  let tip = await git(['rev-parse', 'HEAD'], { cwd: path })
  for (let round = 0; round < 12; round++) {
    tip = await git(['commit-tree', '-m', `round ${round}`, '-p', tip, tree], { cwd: path })
    await git(['update-ref', `refs/heads/round/${round}`, tip], { cwd: path })
    if (round % 3 === 2) await git(['repack', '-dq'], { cwd: path })
  }
  return path
}

/** Names of the packs that are there. */
async function packsIn(path: string): Promise<string[]> {
  const names = await readdir(join(path, 'objects/pack'))
  return names.filter((name) => name.endsWith('.pack')).map((name) => name.slice(0, -'.pack'.length))
}

describe.each(['source-like', 'merges', 'odd-refs', 'odd-objects'] as const)(
  'the history %s on disk',
  (name) => {
    test('is the same to git after small packs were joined, and after everything was repacked', async () => {
      const path = await createScattered(name)
      const before = await readContents(path)
      for (const mode of ['geometric', 'full', 'gc'] as const) {
        const repository = await openOnDisk(path)
        const result = await maintain(repository, { mode })
        expect(result).toMatchObject({ done: true, busy: false, leftOut: [] })
        expect(await readContents(path)).toEqual(before)
        expect(await findFaults(path)).toEqual([])
        await verifyDerived(path, mode !== 'geometric')
      }
      const files = await readdir(join(path, 'objects/pack'))
      const reachable = (await packsIn(path)).filter((pack) => !files.includes(`${pack}.mtimes`))
      expect(reachable).toHaveLength(1)
      expect(await maintain(await openOnDisk(path), { mode: 'gc' })).toMatchObject({ done: true, steps: [] })
    })

    test('is cloned as the bytes that are stored, after it was repacked', async () => {
      const path = await createScattered(name)
      const repository = await openOnDisk(path)
      const { steps } = await maintain(repository, { mode: 'full' })
      const added = steps.flatMap((step) =>
        step.kind === 'repack' && step.added !== undefined ? [step.added] : [],
      )
      expect(added).toHaveLength(1)
      const { pack } = await cloneBytes(repository)
      expect(pack.equals(await storedBytes(repository, added[0]!))).toBe(true)
    })
  },
)

describe('garbage on disk', () => {
  /** A repository with a branch that was deleted, and an unreachable loose blob. */
  async function createGarbage(): Promise<{ path: string; garbage: string[] }> {
    const path = await createHistory('source-like', scratch.fresh('garbage'), { scale: 0.1 })
    await git(['repack', '-adq'], { cwd: path })
    const kept = await listObjects(path)
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'a file of nobody\n' })
    const tree = await git(['mktree'], { cwd: path, input: `100644 blob ${blob}\tfile\n` })
    const commit = await git(['commit-tree', '-m', 'gone', tree], { cwd: path })
    await git(['update-ref', 'refs/heads/gone', commit], { cwd: path })
    await git(['repack', '-dq'], { cwd: path })
    await git(['update-ref', '-d', 'refs/heads/gone'], { cwd: path })
    await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'a loose file of nobody\n' })
    return { path, garbage: (await listObjects(path)).filter((id) => !kept.includes(id)) }
  }

  test('is kept for the grace period in a cruft pack, and gone after it', async () => {
    const { path, garbage } = await createGarbage()
    expect(garbage).toHaveLength(4)
    const before = await listObjects(path)
    const first = await maintain(await openOnDisk(path), { mode: 'gc' })
    expect(first.steps).toContainEqual(expect.objectContaining({ kind: 'repack', unreachableCount: 4 }))
    expect(await listObjects(path)).toEqual(before)
    expect(await maintain(await openOnDisk(path), { mode: 'gc' })).toMatchObject({ steps: [] })
    await agePacks(path, 13)
    expect(await maintain(await openOnDisk(path), { mode: 'gc' })).toMatchObject({ steps: [] })
    await agePacks(path, 2)
    const last = await maintain(await openOnDisk(path), { mode: 'gc' })
    expect(last.steps).toContainEqual(expect.objectContaining({ kind: 'expire', objectCount: 4 }))
    expect(await listObjects(path)).toEqual(before.filter((id) => !garbage.includes(id)))
    expect(await findFaults(path)).toEqual([])
  })

  test('is removed at once without a grace period', async () => {
    const { path, garbage } = await createGarbage()
    const before = await listObjects(path)
    await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })
    expect(await listObjects(path)).toEqual(before.filter((id) => !garbage.includes(id)))
    expect(await findFaults(path)).toEqual([])
  })

  test('that a ref names again comes back into the pack of what is reachable', async () => {
    const { path, garbage } = await createGarbage()
    await maintain(await openOnDisk(path), { mode: 'gc' })
    const types = await gitLines(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
      cwd: path,
      input: garbage.join('\n'),
    })
    const commit = types.find((line) => line.endsWith(' commit'))!.slice(0, 40)
    await git(['update-ref', 'refs/heads/back', commit], { cwd: path })
    await agePacks(path, 30)
    await maintain(await openOnDisk(path), { mode: 'gc' })
    await git(['cat-file', '-e', `${commit}:file`], { cwd: path })
    expect(await findFaults(path)).toEqual([])
  })

  test('that a reflog names is no garbage', async () => {
    const { path } = await createGarbage()
    await git(['config', 'core.logAllRefUpdates', 'true'], { cwd: path })
    const tip = await git(['rev-parse', 'HEAD'], { cwd: path })
    const lost = await git(['commit-tree', '-m', 'reset', `${tip}^{tree}`], { cwd: path })
    await git(['update-ref', 'HEAD', lost], { cwd: path })
    await git(['update-ref', 'HEAD', tip], { cwd: path })
    await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })
    await git(['cat-file', '-e', lost], { cwd: path })
  })

  test('is not removed where a work tree may need it', async () => {
    const { path } = await createGarbage()
    const work = scratch.fresh('work')
    await git(['clone', '-q', path, work])
    await git(['hash-object', '-w', '--stdin'], { cwd: work, input: 'staged, perhaps\n' })
    const before = await listObjects(work)
    const repository = await openOnDisk(join(work, '.git'))
    const { leftOut } = await maintain(repository, { mode: 'gc', gracePeriod: 1 })
    expect(leftOut).toEqual([expect.stringContaining('work tree')])
    expect(await listObjects(work)).toEqual(before)
  })

  test('is not looked for while a ref cannot be read', async () => {
    const { path } = await createGarbage()
    const before = await listObjects(path)
    await writeFile(join(path, 'refs/heads/bad..name'), `${'1'.repeat(40)}\n`)
    await expect(maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })).rejects.toThrow(
      gitError('CORRUPT_REF', 'bad..name'),
    )
    expect(await listObjects(path)).toEqual(before)
  })
})

test('packs that somebody keeps, and what they hold, are left alone', async () => {
  const path = await createScattered('source-like')
  const [kept = ''] = await packsIn(path)
  await writeFile(join(path, `objects/pack/${kept}.keep`), 'mine\n')
  const before = await readContents(path)
  const bytes = await readFile(join(path, `objects/pack/${kept}.pack`))
  await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })
  expect(await readContents(path)).toEqual(before)
  expect((await readFile(join(path, `objects/pack/${kept}.pack`))).equals(bytes)).toBe(true)
  expect(await packsIn(path)).toHaveLength(2)
  const lines = await gitLines(['count-objects', '-v'], { cwd: path })
  const inPacks = Number(lines.find((line) => line.startsWith('in-pack: '))?.slice(9))
  expect(inPacks).toBe((await listObjects(path)).length)
})

test('a repository that another process maintains is left to it', async () => {
  const path = await createScattered('merges')
  await writeFile(join(path, 'gc.pid'), `1 ${hostname()}\n`)
  expect(await maintain(await openOnDisk(path))).toMatchObject({ busy: true, done: false, steps: [] })
  // Nobody has this number.
  await writeFile(join(path, 'gc.pid'), `4194304 ${hostname()}\n`)
  expect(await maintain(await openOnDisk(path))).toMatchObject({ busy: false, done: true })
  expect(await readdir(path)).not.toContain('gc.pid')
})

test('loose refs move into packed-refs, each with its value', async () => {
  const path = await createScattered('odd-refs')
  const before = await readContents(path)
  const head = await git(['symbolic-ref', 'HEAD'], { cwd: path })
  const { steps } = await maintain(await openOnDisk(path))
  expect(steps).toContainEqual({ kind: 'refs', count: expect.any(Number) as number })
  expect(await readContents(path)).toEqual(before)
  expect(await git(['symbolic-ref', 'HEAD'], { cwd: path })).toBe(head)
  expect(await readdir(join(path, 'refs/heads/round')).catch(() => [])).toEqual([])
})

test('a repository of SHA-256 is maintained', async () => {
  const path = scratch.fresh('sha256')
  await git(['init', '-q', '--bare', '--object-format=sha256', path])
  const tree = await git(['mktree'], { cwd: path, input: '' })
  let tip = await git(['commit-tree', '-m', 'first', tree], { cwd: path })
  for (let k = 0; k < 40; k++) tip = await git(['commit-tree', '-m', `${k}`, '-p', tip, tree], { cwd: path })
  await git(['update-ref', 'refs/heads/main', tip], { cwd: path })
  const before = await readContents(path)
  await maintain(await openOnDisk(path), { mode: 'gc' })
  expect(await readContents(path)).toEqual(before)
  expect(await findFaults(path)).toEqual([])
  await verifyDerived(path)
})

test('a budget of bytes bounds each step, and the calls come to an end', async () => {
  const path = await createScattered('source-like')
  const before = await readContents(path)
  const repository = await openOnDisk(path)
  const results = await maintainUntilDone(repository, { mode: 'full', budget: { bytes: 1 } })
  expect(results.at(-1)).toMatchObject({ done: true })
  expect(await readContents(path)).toEqual(before)
  expect(await findFaults(path)).toEqual([])
})

test('a budget of time ends a call, and the next ones go on to the end', async () => {
  const path = await createScattered('source-like')
  const before = await readContents(path)
  const repository = await openOnDisk(path)
  const first = await maintain(repository, { mode: 'full', budget: { milliseconds: 1 } })
  expect(first.done).toBe(false)
  expect(await readContents(path)).toEqual(before)
  await maintainUntilDone(repository, { mode: 'full', budget: { milliseconds: 20_000 } })
  expect(await readContents(path)).toEqual(before)
  expect(await findFaults(path)).toEqual([])
})

describe('a repository that does not have everything itself', () => {
  test('because it is shallow is maintained as far as it goes', async () => {
    const source = await createScattered('source-like')
    const path = scratch.fresh('shallow')
    await git(['clone', '-q', '--bare', '--depth=3', `file://${source}`, path])
    const before = await readContents(path)
    expect(await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })).toMatchObject({
      done: true,
    })
    expect(await readContents(path)).toEqual(before)
    expect(await findFaults(path)).toEqual([])
    expect(await readdir(join(path, 'objects/info'))).not.toContain('commit-graph')
  })

  test('because it borrows from another is packed without what it borrows', async () => {
    const source = await createScattered('source-like')
    await git(['repack', '-adq'], { cwd: source })
    const path = scratch.fresh('borrowing')
    await git(['clone', '-q', '--bare', '--shared', source, path])
    const tip = await git(['commit-tree', '-m', 'own', '-p', 'HEAD', 'HEAD^{tree}'], { cwd: path })
    await git(['update-ref', 'refs/heads/own', tip], { cwd: path })
    const before = await readContents(path)
    const packs = await packsIn(source)
    const { steps } = await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'repack', objectCount: 1 }))
    expect(await readContents(path)).toEqual(before)
    expect(await packsIn(source)).toEqual(packs)
    expect(await findFaults(path)).toEqual([])
  })

  test('because it is a partial clone is only joined', async () => {
    const source = await createScattered('source-like')
    await git(['config', 'uploadpack.allowFilter', 'true'], { cwd: source })
    const path = scratch.fresh('partial')
    await git(['clone', '-q', '--bare', '--filter=blob:none', `file://${source}`, path])
    const before = await listObjects(path)
    const { leftOut } = await maintain(await openOnDisk(path), { mode: 'gc', gracePeriod: 0 })
    expect(leftOut).toEqual([expect.stringContaining('partial clone')])
    expect(await listObjects(path)).toEqual(before)
  })
})

test('a multi-pack-index that names packs which git has removed is taken away', async () => {
  const path = await createScattered('source-like')
  await git(['multi-pack-index', 'write'], { cwd: path })
  const file = join(path, 'objects/pack/multi-pack-index')
  const stale = await readFile(file)
  await git(['repack', '-adq'], { cwd: path })
  await writeFile(file, stale)
  expect(await findFaults(path)).not.toEqual([])
  const repository = await openOnDisk(path)
  expect(await maintain(repository, { mode: 'geometric' })).toMatchObject({ done: true })
  expect(await readdir(join(path, 'objects/pack'))).not.toContain('multi-pack-index')
  expect(await findFaults(path)).toEqual([])
})

test('what others make void time and again is left to them', async () => {
  const path = await createScattered('source-like')
  const { storage } = await openOnDisk(path)
  const commit = (): Promise<never> => Promise.reject(new GitError('CONFLICT', 'the packs went away'))
  const repository = openRepository({ ...storage, commit }, { codecs: createNodeCodecs() })
  const before = await readContents(path)
  expect(await maintain(repository, { mode: 'full' })).toMatchObject({ done: false, busy: true })
  await repository.close()
  expect(await readContents(path)).toEqual(before)
})
