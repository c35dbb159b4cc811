import { expect, test } from 'vitest'
import { createClient } from '../../../src/client/index.ts'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { useRemotes } from '../../support/client-servers.ts'
import { git, gitLines } from '../../support/git.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { cloneWorkTree } from '../../support/work-tree.ts'
import { codecs, createStorage, open, STORAGE_KINDS, visibleIn } from './fixture.ts'

const scratch = useScratch()
const remotes = useRemotes(scratch, 'git')

test.each(STORAGE_KINDS)(
  'a fork of a partial clone is one too: what its refs reach and is there, and nothing else (%s)',
  async (kind) => {
    const name = `${kind}.git`
    const path = await createHistory('source-like', remotes.path(name), { scale: 0.2 })
    for (const setting of ['allowFilter', 'allowAnySHA1InWant'])
      await git(['config', `uploadpack.${setting}`, 'true'], { cwd: path })
    const work = await cloneWorkTree(path, scratch.fresh('work'), [], 10_000)
    await work.commit('aside', 'not on main\n')
    await work.git('push', '--quiet', 'origin', 'HEAD:refs/heads/aside')
    const list = (...args: string[]): Promise<string[]> =>
      gitLines(['rev-list', '--objects', '--no-object-names', ...args], { cwd: path })
    const all = (await list('--all')).sort()

    const { storage } = await createStorage(kind)
    await storage.create('source', { objectFormat: 'sha1', head: 'refs/heads/main' })
    const source = await open(storage, 'source')
    const client = createClient({ url: remotes.url(name) })
    await client.clone(source, { filter: 'blob:none' })
    const [blob = ''] = await gitLines(['ls-tree', '-r', '--object-only', 'main'], { cwd: path })
    await client.fetchObjects(source, [blob])

    const forked = await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    const expected = [...new Set([...(await list('--filter=blob:none', 'main')), blob])].sort()
    expect(forked.objectCount).toBe(expected.length)
    const fork = await open(storage, 'fork')
    const view = await fork.openView()
    expect((await visibleIn(view, all)).sort()).toEqual(expected)
    await view.close()

    const tip = await work.commit('new', 'new\n')
    await work.git('push', '--quiet', 'origin', 'HEAD:refs/heads/new')
    await client.fetch(fork)
    expect(await fork.resolveRef('refs/remotes/origin/new')).toBe(tip)
    await client.fetchObjects(fork, [await work.git('rev-parse', 'HEAD:new')])
    await forkRepository(storage, 'fork', 'again', { codecs })
  },
)
