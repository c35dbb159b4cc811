import { describe, expect, it } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initBareRepository } from '../../src/storage/fs/index.ts'
import { git, gitFails, tryGit } from '../support/git.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { allowPush, findFaults, listLeftovers, readContents, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, openWorkTree, type WorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

/** An empty SHA-256 repository on the server, made by ourselves. */
async function create(name: string): Promise<string> {
  const path = server.path(name)
  const storage = await initBareRepository(path, {
    objectFormat: 'sha256',
    head: 'refs/heads/main',
    durable: false,
  })
  await storage.close()
  await allowPush(path)
  return path
}

/** A local SHA-256 repository with a few commits and a tag, with the server's as its `origin`. */
async function createWork(name: string, speak: readonly string[]): Promise<WorkTree> {
  const path = scratch.fresh('work')
  await git(['init', '-q', '--object-format=sha256', path])
  const work = openWorkTree(path)
  await work.git('remote', 'add', 'origin', server.url(name))
  await work.git('config', 'protocol.version', speak.join('').replace(/\D/g, ''))
  let text = ''
  for (let line = 0; line < 400; line++) text += `line ${line} of a file that deltas are made of\n`
  for (const end of ['one', 'two', 'three']) await work.commit('file', `${text}${end}\n`)
  await work.git('tag', '-a', '-m', 'a tag', 'v1')
  return work
}

describe.each(PROTOCOLS)('SHA-256 over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('a repository is pushed to, cloned, fetched from and pushed to again', async () => {
    const name = `round-v${protocol}.git`
    const served = await create(name)
    const work = await createWork(name, speak)
    await work.git('push', '-q', '--atomic', 'origin', 'main', 'v1')
    for (const kind of ['refs/heads', 'refs/tags'])
      expect(await readRefLines(served, kind)).toEqual(await readRefLines(work.path, kind))

    const clone = await cloneWorkTree(server.url(name), scratch.fresh('clone'), speak, 60)
    expect(await clone.git('rev-parse', '--show-object-format')).toBe('sha256')
    expect(await clone.git('rev-parse', 'HEAD')).toMatch(/^[0-9a-f]{64}$/)
    await writeFile(join(clone.path, 'new'), 'new\n')
    await clone.commit('new', 'content\n')
    await clone.git(...speak, 'push', '-q', 'origin', 'main', ':v1')
    await work.git('fetch', '-q', '--prune', 'origin')
    expect(await work.git('rev-parse', 'origin/main')).toBe(await clone.git('rev-parse', 'HEAD'))

    const mirror = scratch.fresh('mirror')
    await git([...speak, 'clone', '-q', '--mirror', server.url(name), mirror])
    expect(await readContents(mirror)).toEqual(await readContents(served))
    expect(await findFaults(served)).toEqual([])
    expect(await findFaults(mirror)).toEqual([])
    expect(await listLeftovers(served)).toEqual([])
  })

  it('a clone can be shallow', async () => {
    const name = `shallow-v${protocol}.git`
    await create(name)
    const work = await createWork(name, speak)
    await work.git('push', '-q', 'origin', 'main')
    const shallow = scratch.fresh('shallow')
    await git([...speak, 'clone', '-q', '--depth=1', server.url(name), shallow])
    expect(await git(['rev-list', '--count', 'HEAD'], { cwd: shallow })).toBe('1')
    await git([...speak, 'fetch', '-q', '--unshallow'], { cwd: shallow })
    expect(await git(['rev-list', '--count', 'HEAD'], { cwd: shallow })).toBe('3')
    expect(await findFaults(shallow)).toEqual([])
  })

  it('refusals and races are answered as in any repository', async () => {
    const name = `refused-v${protocol}.git`
    const served = await create(name)
    const work = await createWork(name, speak)
    await work.git('push', '-q', 'origin', 'main')
    await git(['config', 'receive.denyNonFastForwards', 'true'], { cwd: served })
    await work.git('reset', '-q', '--hard', 'HEAD~1')
    await work.commit('file', 'another\n')
    expect(await gitFails(['push', '--force', 'origin', 'main'], { cwd: work.path })).toContain(
      'non-fast-forward',
    )
    expect(await gitFails(['push', 'origin', 'main^{tree}:refs/heads/tree'], { cwd: work.path })).toContain(
      'rejected',
    )
    expect(await findFaults(served)).toEqual([])
  })

  it('a client of the other hash is told so, and nothing changes', async () => {
    const name = `other-v${protocol}.git`
    const served = await create(name)
    const path = scratch.fresh('sha1')
    await git(['init', '-q', path])
    const work = openWorkTree(path)
    await work.commit('a', '1')
    const result = await tryGit([...speak, 'push', server.url(name), 'main'], { cwd: path })
    expect(result.code).not.toBe(0)
    expect(result.stderr).toMatch(/object format|hash algorithm|mismatched algorithms/)
    expect(await readRefLines(served)).toEqual([])
  })
})
