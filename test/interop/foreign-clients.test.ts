import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJgitClient } from '../support/foreign/jgit-client.ts'
import type { ForeignClient } from '../support/foreign/foreign-client.ts'
import { startPythonClient } from '../support/foreign/python-client.ts'
import { git, gitLines } from '../support/git.ts'
import { createHistory, type HistoryName } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { allowPush, findFaults, listReachable, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, openWorkTree, type WorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)
const gits = useServer(scratch, 'git')

const CLIENTS = {
  libgit2: () => startPythonClient('pygit2'),
  Dulwich: () => startPythonClient('dulwich'),
  JGit: () => Promise.resolve(createJgitClient()),
}

/** What git finds wrong with a clone that has a work tree. */
async function faultsOf(path: string): Promise<string> {
  return git(['fsck', '--full', '--strict', '--no-progress', '--no-dangling'], { cwd: path })
}

/** Refs below a prefix, without it, each with its id. */
async function namesBelow(path: string, prefix: string): Promise<string[]> {
  const lines = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)', prefix], { cwd: path })
  return lines.filter((line) => !line.startsWith(`${prefix}HEAD `)).map((line) => line.slice(prefix.length))
}

/** What a clone must have of the repository it came from. */
async function expectSame(clone: string, served: string): Promise<void> {
  expect(await namesBelow(clone, 'refs/remotes/origin/')).toEqual(await namesBelow(served, 'refs/heads/'))
  expect(await namesBelow(clone, 'refs/tags/')).toEqual(await namesBelow(served, 'refs/tags/'))
  expect(await listReachable(clone)).toEqual(await listReachable(served))
  expect(await faultsOf(clone)).toBe('')
}

describe.each(Object.entries(CLIENTS))('%s', (name, start) => {
  let client: ForeignClient
  let repositories = 0
  beforeAll(async () => {
    client = await start()
  })
  afterAll(() => client.close())

  const served = async (
    history: HistoryName,
    config: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const key = `${name}-${++repositories}.git`
    const path = await createHistory(history, server.path(key), { scale: 0.2 })
    await allowPush(path)
    for (const [setting, value] of Object.entries(config))
      await git(['config', setting, value], { cwd: path })
    return key
  }
  const cloned = async (key: string, depth?: number): Promise<WorkTree> => {
    const path = scratch.fresh(`${name}-clone`)
    await client.clone(server.url(key), path, depth === undefined ? {} : { depth })
    return openWorkTree(path, 1_000_000)
  }

  it('lists refs and clones everything', async () => {
    const key = await served('merges')
    const { path } = await cloned(key)
    await expectSame(path, server.path(key))
    expect(await git(['rev-parse', 'HEAD'], { cwd: path })).toBe(
      await git(['rev-parse', 'HEAD'], { cwd: server.path(key) }),
    )
    const shown = await gitLines(['show-ref', '--head', '--dereference'], { cwd: server.path(key) })
    expect(await client.listRefs(server.url(key), path)).toEqual(
      Object.fromEntries(shown.map((line) => line.split(' ').reverse() as [string, string])),
    )
  })

  it('fetches what is new, forced and gone', async () => {
    const key = await served('source-like')
    await git(['branch', 'gone', 'main'], { cwd: server.path(key) })
    const { path } = await cloned(key)
    const other = await cloneWorkTree(server.url(key), scratch.fresh('other'), [], 900_000)
    for (let at = 0; at < 5; at++) await other.commit(`new-${at}`, `new\n${at}\n`)
    await other.git('tag', '-a', 'fresh', '-m', 'fresh')
    await other.git('push', '--quiet', 'origin', 'main', 'fresh', 'main~2:refs/heads/side', ':gone')
    await client.fetch(path, { prune: true })
    if (name === 'Dulwich') await git(['branch', '--quiet', '-dr', 'origin/gone'], { cwd: path })
    await expectSame(path, server.path(key))
    await other.git('push', '--quiet', '--force', 'origin', 'main~3:main')
    await client.fetch(path)
    expect(await namesBelow(path, 'refs/remotes/origin/')).toEqual(
      await namesBelow(server.path(key), 'refs/heads/'),
    )
    expect(await faultsOf(path)).toBe('')
  })

  it('pushes commits, branches and tags, forces and deletes', async () => {
    const key = await served('source-like', { 'core.logAllRefUpdates': 'true' })
    const work = await cloned(key)
    const push = async (...refspecs: string[]): Promise<Readonly<Record<string, string | null>>> =>
      (await client.push(work.path, server.url(key), refspecs)).refs

    const base = await work.git('rev-parse', 'HEAD')
    // Bytes that deflate cannot shrink: a body of some megabytes, which is sent in chunks.
    const noise = Array.from({ length: 40_000 }, (_, at) => `${Math.sin(at)}${Math.cos(at)}\n`).join('')
    await work.commit('noise', noise)
    const tip = await work.commit('added', 'added\n')
    await work.git('tag', '-a', 'annotated', '-m', 'annotated')
    await work.git('tag', 'light', 'HEAD~1')
    const refspecs = [
      'refs/heads/main:refs/heads/main',
      'refs/heads/main:refs/heads/side',
      'refs/tags/annotated:refs/tags/annotated',
      'refs/tags/light:refs/tags/light',
    ]
    expect(await push(...refspecs)).toEqual({
      'refs/heads/main': null,
      'refs/heads/side': null,
      'refs/tags/annotated': null,
      'refs/tags/light': null,
    })
    const path = server.path(key)
    const read = (ref: string): Promise<string> =>
      git(['rev-parse', '--verify', '--quiet', ref], { cwd: path }).catch(() => 'absent')
    expect(await read('main')).toBe(tip)
    expect(await read('annotated')).toBe(await work.git('rev-parse', 'annotated'))
    expect(await read('light')).toBe(await work.git('rev-parse', 'light'))

    await work.git('reset', '--quiet', '--hard', base)
    const rewritten = await work.commit('rewritten', 'rewritten\n')
    expect(await push('+refs/heads/main:refs/heads/main', ':refs/heads/side', ':refs/tags/light')).toEqual({
      'refs/heads/main': null,
      'refs/heads/side': null,
      'refs/tags/light': null,
    })
    expect([await read('main'), await read('side'), await read('light')]).toEqual([
      rewritten,
      'absent',
      'absent',
    ])
    expect(await findFaults(path)).toEqual([])
  })

  it('is told why a ref was refused, while others are taken', async () => {
    const key = await served('source-like', {
      'receive.denyNonFastForwards': 'true',
      'receive.denyDeletes': 'true',
    })
    await git(['branch', 'side', 'main'], { cwd: server.path(key) })
    const work = await cloned(key)
    const before = await readRefLines(server.path(key), 'refs/heads/')
    await work.git('reset', '--quiet', '--hard', 'HEAD~2')
    const rewritten = await work.commit('rewritten', 'rewritten\n')
    const { refs } = await client.push(work.path, server.url(key), [
      '+refs/heads/main:refs/heads/main',
      ':refs/heads/side',
      'refs/heads/main:refs/heads/other',
    ])
    expect(refs).toEqual({
      'refs/heads/main': expect.stringContaining('non-fast-forward') as unknown,
      'refs/heads/side': expect.stringContaining('deletion prohibited') as unknown,
      'refs/heads/other': null,
    })
    const after = await readRefLines(server.path(key), 'refs/heads/')
    expect(after).toEqual([...before, `refs/heads/other ${rewritten} `].sort())
  })

  it('clones an empty repository and fills it', async () => {
    const key = `${name}-empty.git`
    const path = await server.createRepository(key)
    const work = await cloned(key)
    await work.git('symbolic-ref', 'HEAD', 'refs/heads/main')
    const first = await work.commit('first', 'first\n')
    const { refs } = await client.push(work.path, server.url(key), ['refs/heads/main:refs/heads/main'])
    expect(refs).toEqual({ 'refs/heads/main': null })
    expect(await git(['rev-parse', 'main'], { cwd: path })).toBe(first)
    expect(await findFaults(path)).toEqual([])
  })

  it.runIf(name === 'Dulwich')('clones to a depth, deepens, and pushes from there', async () => {
    const key = await served('source-like')
    await cp(server.path(key), gits.path(key), { recursive: true })
    // What it has of either server after each step.
    const states = [server, gits].map(async (side) => {
      const path = scratch.fresh('shallow')
      const state = async (): Promise<unknown> => ({
        shallow: (await readFile(join(path, '.git/shallow'), 'utf8')).split('\n').sort(),
        reachable: await listReachable(path),
        faults: await faultsOf(path),
      })
      await client.clone(side.url(key), path, { depth: 3 })
      const first = await state()
      await client.fetch(path, { depth: 6 })
      const second = await state()
      const work = openWorkTree(path, 1_000_000)
      const tip = await work.commit('added', 'added\n')
      const { refs } = await client.push(path, side.url(key), ['refs/heads/main:refs/heads/main'])
      expect(refs).toEqual({ 'refs/heads/main': null })
      expect(await git(['rev-parse', 'main'], { cwd: side.path(key) })).toBe(tip)
      return [first, second]
    })
    const [ours, theirs] = await Promise.all(states)
    expect(ours).toEqual(theirs)
    expect(ours).toMatchObject([{ faults: '' }, { faults: '' }])
    expect(await findFaults(server.path(key))).toEqual([])
  })

  it.runIf(name === 'JGit')('fetches into and pushes from a shallow clone that git made', async () => {
    const key = await served('source-like')
    const path = scratch.fresh('shallow')
    await git(['clone', '--quiet', '--depth=3', server.url(key), path])
    const other = await cloneWorkTree(server.url(key), scratch.fresh('other'), [], 900_000)
    const tip = await other.commit('new', 'new\n')
    await other.git('push', '--quiet', 'origin', 'main')
    await client.fetch(path)
    expect(await git(['rev-parse', 'origin/main'], { cwd: path })).toBe(tip)
    expect(await faultsOf(path)).toBe('')
    const work = openWorkTree(path, 1_000_000)
    await work.git('reset', '--quiet', '--hard', 'origin/main')
    const mine = await work.commit('mine', 'mine\n')
    const { refs } = await client.push(path, server.url(key), ['refs/heads/main:refs/heads/main'])
    expect(refs).toEqual({ 'refs/heads/main': null })
    expect(await git(['rev-parse', 'main'], { cwd: server.path(key) })).toBe(mine)
    expect(await findFaults(server.path(key))).toEqual([])
  })
})
