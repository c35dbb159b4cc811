import { describe, expect, it } from 'vitest'
import { git, gitFails, tryGit } from '../support/git.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('an empty repository is cloned, and takes its first push', async () => {
    const name = `empty-v${protocol}.git`
    const served = await server.createRepository(name)
    const path = scratch.fresh('empty')
    const clone = await tryGit([...speak, 'clone', server.url(name), path])
    expect(clone.code, clone.stderr).toBe(0)
    expect(clone.stderr).toContain('You appear to have cloned an empty repository')
    expect(await git([...speak, 'ls-remote', server.url(name)])).toBe('')

    const work = await cloneWorkTree(server.url(name), scratch.fresh('first'), speak)
    const id = await work.commit('a', '1')
    await work.git(...speak, 'push', '--quiet', 'origin', 'HEAD')
    expect(await git(['rev-parse', 'HEAD'], { cwd: served })).toBe(id)
    expect(await git([...speak, 'ls-remote', '--symref', server.url(name), 'HEAD'])).toContain(
      'ref: refs/heads/main\tHEAD',
    )
  })

  it('a HEAD that names a branch to come is cloned with the branches there are', async () => {
    const name = `unborn-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('unborn'), speak)
    const id = await work.commit('a', '1')
    await work.git('push', '--quiet', 'origin', 'HEAD:refs/heads/there')
    await git(['symbolic-ref', 'HEAD', 'refs/heads/to-come'], { cwd: served })

    const branch = await cloneWorkTree(server.url(name), scratch.fresh('unborn-b'), [
      ...speak,
      '-c',
      'clone.defaultRemoteName=origin',
    ])
    expect(await branch.git('rev-parse', 'origin/there')).toBe(id)
    const chosen = scratch.fresh('unborn-chosen')
    await git([...speak, 'clone', '--quiet', '-b', 'there', server.url(name), chosen])
    expect(await git(['rev-parse', 'HEAD'], { cwd: chosen })).toBe(id)
    const refusal = await gitFails([
      ...speak,
      'clone',
      '-b',
      'to-come',
      server.url(name),
      scratch.fresh('unborn-none'),
    ])
    expect(refusal).toContain('Remote branch to-come not found')
  })

  it('a detached HEAD is cloned as such', async () => {
    const name = `detached-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('detached'), speak)
    const id = await work.commit('a', '1')
    await work.commit('a', '2')
    await work.git('push', '--quiet', 'origin', 'main')
    await git(['update-ref', '--no-deref', 'HEAD', id], { cwd: served })
    const clone = await cloneWorkTree(server.url(name), scratch.fresh('detached-clone'), speak)
    expect(await clone.git('rev-parse', 'HEAD')).toBe(id)
    expect(await clone.git('branch', '--show-current')).toBe('')
  })
})

it('a clone of an empty repository takes the name of the branch to come', async () => {
  const served = await server.createRepository('trunk.git')
  await git(['symbolic-ref', 'HEAD', 'refs/heads/trunk'], { cwd: served })
  const clone = await cloneWorkTree(server.url('trunk.git'), scratch.fresh('trunk'), speaking(2))
  expect(await clone.git('symbolic-ref', 'HEAD')).toBe('refs/heads/trunk')
})
