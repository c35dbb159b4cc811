import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { git, gitFails, TEST_TIME, tryGit } from '../support/git.ts'
import { createHistory, type HistoryName } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { allowPush, findFaults, listObjects, listReachable, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)
const oracle = useServer(scratch, 'git')

/** What a shallow repository holds, in full detail. */
async function readShallowState(repository: string): Promise<Record<string, string[]>> {
  const shallow = await readFile(join(repository, 'shallow'), 'utf8').catch(() => '')
  return {
    refs: await readRefLines(repository),
    shallow: shallow.split('\n').sort(),
    reachable: await listReachable(repository),
  }
}

/** Makes the same repository on both servers. */
async function serveBoth(history: HistoryName, name: string): Promise<void> {
  const served = await createHistory(history, server.path(name), { scale: 0.25 })
  await git(['clone', '--quiet', '--mirror', served, oracle.path(name)])
  await allowPush(served)
  await allowPush(oracle.path(name))
}

/** Runs the same commands against both servers and compares after each. `URL` stands for the repository's address. */
async function compareSteps(
  name: string,
  speak: readonly string[],
  steps: readonly (readonly string[])[],
): Promise<void> {
  const paths = { ours: scratch.fresh('ours'), gits: scratch.fresh('gits') }
  for (const [at, step] of steps.entries()) {
    const run = async (url: string, path: string): Promise<string> => {
      const args = step.map((word) => (word === 'URL' ? url : word))
      const result = await tryGit(
        [...speak, ...args, ...(at === 0 ? [path] : [])],
        at === 0 ? {} : { cwd: path },
      )
      return result.code === 0 ? 'done' : 'refused'
    }
    const ours = await run(server.url(name), paths.ours)
    expect(ours, step.join(' ')).toBe(await run(oracle.url(name), paths.gits))
    if (at === 0 && ours !== 'done') return
    expect(await readShallowState(paths.ours), step.join(' ')).toEqual(await readShallowState(paths.gits))
    // A fresh clone holds exactly what was asked for. Later fetches may bring more than is needed.
    if (at === 0) expect(await listObjects(paths.ours)).toEqual(await listObjects(paths.gits))
  }
  expect(await findFaults(paths.ours)).toEqual([])
}

const since = (minutes: number): string => `${TEST_TIME + 60 * minutes} +0000`

// Version 1 is version 0 behind a banner.
describe.each([
  ['source-like', 0],
  ['merges', 2],
] as const)('on the history %s over protocol version %d', (history, protocol) => {
  const speak = speaking(protocol)
  const name = `${history}-v${protocol}.git`
  const clone = (...args: readonly string[]): string[] => ['clone', '--quiet', '--bare', ...args, 'URL']
  const fetchAll = (...args: readonly string[]): string[] => [
    'fetch',
    '--quiet',
    ...args,
    'URL',
    '+refs/*:refs/*',
  ]

  it('clones of some depth are deepened step by step until they are whole', async () => {
    await serveBoth(history, name)
    await compareSteps(name, speak, [
      clone('--depth=1'),
      fetchAll('--depth=3'),
      fetchAll('--deepen=2'),
      fetchAll('--depth=2'),
      fetchAll('--deepen=40'),
      fetchAll('--unshallow'),
    ])
    await compareSteps(name, speak, [clone('--depth=3'), fetchAll(), fetchAll('--unshallow')])
    await compareSteps(name, speak, [clone('--depth=1', '--no-single-branch'), fetchAll('--deepen=1')])
    await compareSteps(name, speak, [
      clone('--depth=1', '--single-branch', '--no-tags'),
      fetchAll('--unshallow'),
    ])
    await compareSteps(name, speak, [clone('--depth=1000'), fetchAll('--depth=1')])
  })

  it('clones reach back to a date', async () => {
    await compareSteps(name, speak, [
      clone(`--shallow-since=${since(50)}`),
      fetchAll(`--shallow-since=${since(20)}`),
      fetchAll('--unshallow'),
    ])
    await compareSteps(name, speak, [clone(`--shallow-since=${since(1_000_000)}`)])
  })

  it('clones stop at a ref', async () => {
    const stop = await git(['rev-list', '--topo-order', '--skip=12', '-1', 'main'], {
      cwd: server.path(name),
    })
    for (const cwd of [server.path(name), oracle.path(name)]) {
      await git(['update-ref', 'refs/heads/stop', stop], { cwd })
    }
    await compareSteps(name, speak, [
      clone('--shallow-exclude=stop', '--single-branch', '--branch=main'),
      ['fetch', '--quiet', '--deepen=3', 'URL', 'main'],
      fetchAll('--unshallow'),
    ])
  })
})

describe.each(PROTOCOLS)('a shallow clone over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('fetches what is new, and pushes what it made', async () => {
    const name = `work-v${protocol}.git`
    const served = await createHistory('source-like', server.path(name), { scale: 0.2 })
    await allowPush(served)
    const path = scratch.fresh('shallow-work')
    await git([...speak, 'clone', '--quiet', '--depth=2', server.url(name), path])
    expect(await git(['rev-parse', '--is-shallow-repository'], { cwd: path })).toBe('true')

    const whole = await cloneWorkTree(server.url(name), scratch.fresh('whole'), speak, 10_000)
    await whole.commit('new', '1')
    const tip = await whole.commit('new', '2')
    await whole.git(...speak, 'push', '--quiet', 'origin', 'main')
    await git([...speak, 'pull', '--quiet', '--ff-only'], { cwd: path })
    expect(await git(['rev-parse', 'HEAD'], { cwd: path })).toBe(tip)
    expect(await git(['rev-list', '--count', 'HEAD'], { cwd: path })).toBe('4')
    expect(await findFaults(path)).toEqual([])

    await git(['commit', '--quiet', '--allow-empty', '-m', 'from the shallow clone'], { cwd: path })
    await git([...speak, 'push', '--quiet', 'origin', 'HEAD:main'], { cwd: path })
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(
      await git(['rev-parse', 'HEAD'], { cwd: path }),
    )
    expect(await findFaults(served)).toEqual([])
  })
})

it('a push that needs history which the shallow clone does not have is refused', async () => {
  const path = scratch.fresh('too-shallow')
  const source = await createHistory('source-like', scratch.fresh('deep'), { scale: 0.1 })
  await git(['clone', '--quiet', '--depth=2', `file://${source}`, path])
  const served = await server.createRepository('other.git')
  expect(await gitFails(['push', server.url('other.git'), 'HEAD:main'], { cwd: path })).toContain(
    'shallow update not allowed',
  )
  expect(await readRefLines(served)).toEqual([])
})

it('a repository that is shallow itself is served as far as it goes', async () => {
  const source = await createHistory('source-like', scratch.fresh('shallow-source'), { scale: 0.2 })
  const args = ['clone', '--quiet', '--bare', '--depth=5', `file://${source}`]
  await git([...args, server.path('shallow-served.git')])
  await git([...args, oracle.path('shallow-served.git')])
  for (const protocol of PROTOCOLS) {
    await compareSteps('shallow-served.git', speaking(protocol), [['clone', '--quiet', '--bare', 'URL']])
    await compareSteps('shallow-served.git', speaking(protocol), [
      ['clone', '--quiet', '--bare', '--depth=2', 'URL'],
      ['fetch', '--quiet', '--deepen=2', 'URL', '+refs/*:refs/*'],
      ['fetch', '--quiet', '--deepen=20', 'URL', '+refs/*:refs/*'],
    ])
  }
})
