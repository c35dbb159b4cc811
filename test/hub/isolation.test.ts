import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../src/storage/sqlite/index.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { git, gitFails, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { openWorkTree, type WorkTree } from '../support/work-tree.ts'
import { startTestHub, withToken, type CreatedResult, type TestHub } from './support.ts'

const scratch = useScratch()

const STORAGES: Readonly<Record<string, () => Promise<Storage>>> = {
  memory: () => Promise.resolve(createMemoryStorage()),
  fs: () => Promise.resolve(createFsStorage({ directory: scratch.fresh('fs'), durable: false })),
  sqlite: async () =>
    createSqliteStorage({
      database: await openNodeDatabase({ path: `${scratch.fresh('db')}.db`, synchronous: 'normal' }),
    }),
}

const REPOS = '/namespaces/team/repos'

function address({ remote, token }: CreatedResult): string {
  return withToken(remote, token.replace(/\?.*/, ''))
}

async function newTree(): Promise<WorkTree> {
  const path = scratch.fresh('tree')
  await git(['init', '--quiet', path])
  return openWorkTree(path)
}

/** How each way of reading answers for an object: the statuses over REST, and whether git gets it. */
async function reads(
  hub: TestHub,
  repository: CreatedResult,
  commit: string,
  tree: string,
  blob: string,
): Promise<unknown> {
  const base = `${REPOS}/${repository.name}`
  const paths = [
    `/commit/${commit}`,
    `/tree/${tree}`,
    `/blob/${blob}`,
    `/blob/${blob}/stream`,
    `/raw/${commit}/file`,
    `/file?ref=${commit}&path=file`,
  ]
  const statuses = []
  for (const path of paths) statuses.push((await hub.call('GET', base + path)).status)
  const log = await hub.call('GET', `${base}/log?ref=${commit}`)
  const into = scratch.fresh('into')
  await git(['init', '--quiet', into])
  const fetched = []
  for (const id of [commit, tree, blob]) {
    for (const version of ['0', '2']) {
      const args = ['-c', `protocol.version=${version}`, 'fetch', '--quiet', address(repository), id]
      fetched.push((await tryGit(args, { cwd: into })).code === 0)
    }
  }
  return {
    statuses: [...new Set(statuses)],
    log: (log.json.result as unknown[]).length > 0,
    fetched: [...new Set(fetched)],
  }
}

const NOTHING = { statuses: [404], log: false, fetched: [false] }

describe.each(Object.keys(STORAGES))('a fork in %s', (kind) => {
  const start = async (): Promise<TestHub & { readonly url: string }> => {
    const storage = await STORAGES[kind]?.()
    if (storage === undefined) throw new Error(`no storage ${kind}`)
    return startTestHub({ storage })
  }

  it('shows what the refs of its source reached, and nothing that was pushed or deleted there', async () => {
    const hub = await start()
    const source = await hub.result<CreatedResult>('POST', REPOS, { name: 'source' })
    const work = await newTree()
    const ids = async (): Promise<[string, string, string]> => [
      await work.git('rev-parse', 'HEAD'),
      await work.git('rev-parse', 'HEAD^{tree}'),
      await work.git('rev-parse', 'HEAD:file'),
    ]
    await work.commit('file', 'kept')
    const kept = await ids()
    await work.git('push', '--quiet', address(source), 'HEAD:refs/heads/main')
    // A branch that is gone before the fork, and whose objects lie in a pack with what stays.
    await work.commit('file', 'deleted')
    const deleted = await ids()
    await work.git('push', '--quiet', address(source), 'HEAD:refs/heads/gone', 'HEAD~1:refs/notes/note')
    await work.git('push', '--quiet', address(source), ':refs/heads/gone')

    const fork = await hub.result<CreatedResult & { objects: number }>('POST', `${REPOS}/source/fork`, {
      name: 'fork',
    })
    expect(fork.objects).toBe(3)
    await work.commit('file', 'later')
    const later = await ids()
    await work.git('push', '--quiet', '--force', address(source), 'HEAD:refs/heads/main')

    expect(await git(['ls-remote', address(fork)])).toBe(
      [`${kept[0]}\tHEAD`, `${kept[0]}\trefs/heads/main`, `${kept[0]}\trefs/notes/note`].join('\n'),
    )
    expect(await reads(hub, fork, ...kept)).toEqual({ statuses: [200], log: true, fetched: [true] })
    expect(await reads(hub, fork, ...deleted)).toEqual(NOTHING)
    expect(await reads(hub, fork, ...later)).toEqual(NOTHING)

    // The other way round: what is pushed to the fork is not in its source.
    await work.commit('file', 'of the fork')
    const ofFork = await ids()
    await work.git('push', '--quiet', '--force', address(fork), 'HEAD:refs/heads/main')
    expect(await reads(hub, source, ...ofFork)).toEqual(NOTHING)
    expect(await reads(hub, fork, ...later)).toMatchObject({ statuses: [200], log: true })
    expect(hub.failures).toEqual([])
  })

  it('is opened by its own tokens only, and outlives its source', async () => {
    const hub = await start()
    const source = await hub.result<CreatedResult>('POST', REPOS, { name: 'source' })
    const work = await newTree()
    await work.commit('file', 'content')
    await work.git('push', '--quiet', address(source), 'HEAD:refs/heads/main')
    const fork = await hub.result<CreatedResult>('POST', `${REPOS}/source/fork`, { name: 'fork' })
    for (const pair of [
      { remote: fork.remote, token: source.token },
      { remote: source.remote, token: fork.token },
    ]) {
      expect(await gitFails(['ls-remote', address({ ...fork, ...pair })])).toContain('403')
    }
    await hub.result('DELETE', `${REPOS}/source`)
    await hub.hub.resume()
    const clone = scratch.fresh('clone')
    await git(['clone', '--quiet', address(fork), clone])
    await git(['fsck', '--strict'], { cwd: clone })
    expect(await git(['show', 'HEAD:file'], { cwd: clone })).toBe('content')
  })

  it('takes the default branch only where that is asked for', async () => {
    const hub = await start()
    const source = await hub.result<CreatedResult>('POST', REPOS, { name: 'source' })
    const work = await newTree()
    await work.commit('file', 'content')
    await work.git(
      'push',
      '--quiet',
      address(source),
      'HEAD:refs/heads/main',
      'HEAD:refs/heads/other',
      'HEAD:refs/tags/t',
    )
    const refsOf = async (name: string, only: boolean): Promise<string[]> => {
      const fork = await hub.result<CreatedResult>('POST', `${REPOS}/source/fork`, {
        name,
        default_branch_only: only,
      })
      const lines = await git(['ls-remote', address(fork)])
      return lines.split('\n').map((line) => line.split('\t')[1] ?? '')
    }
    expect(await refsOf('one', true)).toEqual(['HEAD', 'refs/heads/main'])
    expect(await refsOf('all', false)).toEqual(['HEAD', 'refs/heads/main', 'refs/heads/other', 'refs/tags/t'])
  })
})

it('a repository that takes the name of a deleted one meets nothing of it', async () => {
  const hub = await startTestHub()
  const old = await hub.result<CreatedResult>('POST', REPOS, { name: 'name' })
  const work = await newTree()
  await work.commit('file', 'secret')
  await work.git('push', '--quiet', address(old), 'HEAD:refs/heads/main')
  const [commit, tree, blob] = [
    await work.git('rev-parse', 'HEAD'),
    await work.git('rev-parse', 'HEAD^{tree}'),
    await work.git('rev-parse', 'HEAD:file'),
  ]
  await hub.result('DELETE', `${REPOS}/name`)
  const young = await hub.result<CreatedResult>('POST', REPOS, { name: 'Name' })
  expect(young.id).not.toBe(old.id)
  expect(await git(['ls-remote', address(young)])).toBe('')
  expect(await gitFails(['ls-remote', address({ ...young, token: old.token })])).toContain('403')
  expect(await reads(hub, young, commit, tree, blob)).toEqual(NOTHING)
  await hub.hub.close()
  expect((await hub.storage.list()).keys).toEqual([`${young.id.slice(0, 2)}/${young.id}`])
})

it('a push that races with a deletion or a fork ends in one of the legal orders', async () => {
  const hub = await startTestHub()
  const work = await newTree()
  await work.commit('file', 'one')
  const first = await work.git('rev-parse', 'HEAD')
  await work.commit('file', 'two')
  const second = await work.git('rev-parse', 'HEAD')
  for (let round = 0; round < 6; round++) {
    const source = await hub.result<CreatedResult>('POST', REPOS, { name: `source${round}` })
    await work.git('push', '--quiet', address(source), `${first}:refs/heads/main`)
    const [pushed, forked] = await Promise.all([
      tryGit(['push', address(source), `${second}:refs/heads/main`], { cwd: work.path }),
      hub.result<CreatedResult>('POST', `${REPOS}/source${round}/fork`, { name: `fork${round}` }),
    ])
    expect(pushed.code).toBe(0)
    const head = (await git(['ls-remote', address(forked), 'refs/heads/main'])).split('\t')[0]
    expect([first, second]).toContain(head)
    const clone = join(scratch.fresh('clone'))
    await git(['clone', '--quiet', address(forked), clone])
    await git(['fsck', '--strict'], { cwd: clone })

    const [lost, deletion] = await Promise.all([
      tryGit(['push', address(source), `${first}:refs/heads/other`], { cwd: work.path }),
      hub.call('DELETE', `${REPOS}/source${round}`),
    ])
    expect(deletion.status).toBe(202)
    if (lost.code !== 0) expect(lost.stderr).toMatch(/403|404|failed|error/)
    expect(await gitFails(['ls-remote', address(source)])).toContain('403')
  }
})
