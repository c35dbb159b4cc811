import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { git, gitFails } from '../support/git.ts'
import { AGAINST_GIT, useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { findFaults, readContents, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, openWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('two people share work through the server', async () => {
    const name = `shared-v${protocol}.git`
    const served = await server.createRepository(name)
    const url = server.url(name)

    const ann = await cloneWorkTree(url, scratch.fresh('ann'), speak)
    const first = await ann.commit('a.txt', 'one\n')
    await ann.git(...speak, 'push', '--quiet', 'origin', 'main')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(first)

    const bob = await cloneWorkTree(url, scratch.fresh('bob'), speak, 100)
    expect(await readFile(join(bob.path, 'a.txt'), 'utf8')).toBe('one\n')
    const second = await bob.commit('b.txt', 'two\n')
    await bob.git(...speak, 'push', '--quiet')

    await ann.git(...speak, 'fetch', '--quiet')
    expect(await ann.git('rev-parse', 'origin/main')).toBe(second)
    await ann.git(...speak, 'pull', '--quiet', '--ff-only')
    expect(await readFile(join(ann.path, 'b.txt'), 'utf8')).toBe('two\n')
    expect(await findFaults(served)).toEqual([])
    expect(await findFaults(bob.path)).toEqual([])
  })

  it('a push that is no fast-forward is refused, and forced it goes through', async () => {
    const name = `forced-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('force'), speak)
    await work.commit('a', '1')
    const before = await work.commit('a', '2')
    await work.git(...speak, 'push', '--quiet', 'origin', 'main')
    await work.git('reset', '--quiet', '--hard', 'HEAD~1')
    const after = await work.commit('a', '3')

    const refusal = await gitFails([...speak, 'push', 'origin', 'main'], { cwd: work.path })
    expect(refusal).toContain('non-fast-forward')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(before)

    await work.git(...speak, 'push', '--quiet', '--force', 'origin', 'main')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(after)

    const lease = await gitFails(
      [...speak, 'push', `--force-with-lease=main:${before}`, 'origin', 'HEAD~1:main'],
      {
        cwd: work.path,
      },
    )
    expect(lease).toContain('stale info')
    await work.git(...speak, 'push', '--quiet', `--force-with-lease=main:${after}`, 'origin', 'HEAD~1:main')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(await work.git('rev-parse', 'HEAD~1'))
    expect(await findFaults(served)).toEqual([])
  })

  it('branches come and go, and a fetch with prune follows', async () => {
    const name = `branches-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('branches'), speak)
    await work.commit('a', '1')
    await work.git('branch', 'topic/one')
    await work.git('branch', 'topic/two')
    await work.git(...speak, 'push', '--quiet', '--all')
    const other = await cloneWorkTree(server.url(name), scratch.fresh('branches-other'), speak)

    await work.git(...speak, 'push', '--quiet', 'origin', '--delete', 'topic/one')
    // A ref may take the name of a directory that is empty now.
    await work.git(...speak, 'push', '--quiet', 'origin', ':topic/two')
    await work.git(...speak, 'push', '--quiet', 'origin', 'HEAD:refs/heads/topic')
    expect((await readRefLines(served)).map((line) => line.split(' ')[0])).toEqual([
      'refs/heads/main',
      'refs/heads/topic',
    ])

    await other.git(...speak, 'fetch', '--quiet', '--prune')
    expect((await readRefLines(other.path, 'refs/remotes')).map((line) => line.split(' ')[0])).toEqual([
      'refs/remotes/origin/HEAD',
      'refs/remotes/origin/main',
      'refs/remotes/origin/topic',
    ])
    const missing = await work.git(...speak, 'push', 'origin', '--delete', 'topic/none').catch(String)
    expect(missing).toContain('remote ref does not exist')
  })

  it('tags are pushed by name, all together, and along with what they name', async () => {
    const name = `tags-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('tags'), speak)
    await work.commit('a', '1')
    await work.git('tag', 'light')
    await work.git('tag', '-a', '-m', 'one', 'v1')
    await work.git(...speak, 'push', '--quiet', 'origin', 'main', 'v1')
    await work.git(...speak, 'push', '--quiet', '--tags')
    await work.commit('a', '2')
    await work.git('tag', '-a', '-m', 'two', 'v2')
    await work.git('tag', 'light-two')
    await work.git(...speak, 'push', '--quiet', '--follow-tags', 'origin', 'main')
    const tags = await readRefLines(served, 'refs/tags')
    expect(tags.map((line) => line.split(' ')[0])).toEqual([
      'refs/tags/light',
      'refs/tags/v1',
      'refs/tags/v2',
    ])

    const changed = await gitFails(
      [...speak, 'push', 'origin', 'main~1:refs/tags/light-two', 'main:refs/tags/light'],
      {
        cwd: work.path,
      },
    )
    expect(changed).toContain('already exists')
    await work.git(...speak, 'push', '--quiet', '--force', 'origin', 'main:refs/tags/light')
    await work.git(...speak, 'push', '--quiet', 'origin', ':refs/tags/v1')

    const clone = await cloneWorkTree(server.url(name), scratch.fresh('tags-clone'), speak)
    expect(await readRefLines(clone.path, 'refs/tags')).toEqual(await readRefLines(served, 'refs/tags'))
    expect(await findFaults(served)).toEqual([])
  })

  it('a push of everything as a mirror deletes what is gone', async () => {
    const name = `mirror-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('mirror'), speak)
    await work.commit('a', '1')
    await work.git('branch', 'old')
    await work.git('update-ref', 'refs/custom/thing', 'HEAD')
    await work.git(...speak, 'push', '--quiet', '--mirror', server.url(name))
    await work.git('branch', '-D', 'old')
    await work.git('branch', 'new')
    await work.git('update-ref', '-d', 'refs/custom/thing')
    await work.git('remote', 'remove', 'origin')
    await work.git(...speak, 'push', '--quiet', '--mirror', server.url(name))
    expect(await readContents(served)).toEqual(await readContents(work.path))
  })

  it('ls-remote shows what the repository holds', async () => {
    const name = `ls-remote-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = openWorkTree(served)
    const commit = await work.git('commit-tree', '-m', 'x', await work.git('mktree'))
    await work.git('update-ref', 'refs/heads/main', commit)
    await work.git('update-ref', 'refs/heads/other', commit)
    await work.git('tag', '-a', '-m', 't', 'annotated', 'main')
    const url = server.url(name)
    expect(await git([...speak, 'ls-remote', '--symref', url])).toBe(
      await git(['ls-remote', '--symref', served]),
    )
    expect(await git([...speak, 'ls-remote', '--heads', url, 'ot*'])).toBe(`${commit}\trefs/heads/other`)
    expect(await git([...speak, 'ls-remote', '--tags', url])).toBe(await git(['ls-remote', '--tags', served]))
  })
})

it.skipIf(AGAINST_GIT)('the name works with and without .git', async () => {
  const served = await server.createRepository('named.git')
  const work = await cloneWorkTree(server.url('named'), scratch.fresh('named'))
  const id = await work.commit('a', '1')
  await work.git('push', '--quiet', 'origin', 'main')
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(id)
  expect(await git(['ls-remote', server.url('named')])).toBe(
    await git(['ls-remote', server.url('named.git')]),
  )
})

it('a repository that is not there is reported as git users know it', async () => {
  expect(await gitFails(['clone', server.url('no/such.git'), scratch.fresh('none')])).toMatch(/not found/)
})

it('a repository whose config does not allow pushing refuses one and stays readable', async () => {
  const served = await server.createRepository('read-only.git')
  await git(['config', 'http.receivepack', 'false'], { cwd: served })
  const work = await cloneWorkTree(server.url('read-only.git'), scratch.fresh('read-only'))
  await work.commit('a', '1')
  expect(await gitFails(['push', 'origin', 'main'], { cwd: work.path })).toMatch(/403/)
  expect(await readRefLines(served)).toEqual([])
})
