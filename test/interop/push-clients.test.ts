import { cp, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { git, gitFails, gitLines, TEST_TIME } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { allowPush, findFaults, listLeftovers, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, openWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch, 'packstone', { args: ['--remote-user-header', 'X-Remote-User'] })
const oracle = useServer(scratch, 'git')

/** The same repository on both servers. */
async function serveBoth(name: string): Promise<string> {
  const path = await createHistory('source-like', server.path(name), { scale: 0.1 })
  await allowPush(path)
  await git(['config', 'uploadpack.allowFilter', 'true'], { cwd: path })
  await cp(path, oracle.path(name), { recursive: true })
  return path
}

describe('a push from a client that has not everything', () => {
  it('of history: what the server can complete is taken', async () => {
    const served = await serveBoth('shallow.git')
    const clone = await cloneWorkTree(server.url('shallow.git'), scratch.fresh('shallow'), [])
    const shallow = scratch.fresh('shallow')
    await git(['clone', '-q', '--depth=1', server.url('shallow.git'), shallow])
    const work = openWorkTree(shallow, 1000)
    const id = await work.commit('new', 'from a shallow clone\n')
    await work.git('push', '-q', 'origin', 'HEAD:refs/heads/pushed')
    expect(await git(['rev-parse', 'pushed'], { cwd: served })).toBe(id)
    await clone.git('fetch', '-q', 'origin', 'pushed')
    expect(await findFaults(served)).toEqual([])
  })

  it.each(['true', 'false'])(
    'of history, into an empty repository with receive.shallowUpdate=%s: as by git',
    async (allowed) => {
      const outcomes: unknown[] = []
      for (const [at, one] of [server, oracle].entries()) {
        const name = `empty-${allowed}.git`
        const served = await one.createRepository(name, { 'receive.shallowUpdate': allowed })
        const source = server.path('shallow.git')
        const shallow = scratch.fresh(`into-${at}`)
        await git(['clone', '-q', '--depth=2', `file://${source}`, shallow])
        const work = openWorkTree(shallow, 1000)
        await work.commit('new', 'more\n')
        const pushed = await work.git('push', '--porcelain', one.url(name), 'HEAD:refs/heads/main').then(
          () => 'taken',
          (error: unknown) => /\[remote rejected\] \(.*\)/.exec(String(error))?.[0],
        )
        const boundary = await git(['rev-parse', '--is-shallow-repository'], { cwd: served })
        const again = scratch.fresh('again')
        if (pushed === 'taken') await git(['clone', '-q', one.url(name), again])
        const commits = pushed === 'taken' ? await gitLines(['rev-list', 'HEAD'], { cwd: again }) : []
        outcomes.push({
          pushed,
          boundary,
          commits,
          faults: await findFaults(served),
          left: await listLeftovers(served),
        })
      }
      expect(outcomes[0]).toEqual(outcomes[1])
    },
  )

  it('of content: blobs that it was never sent need not come back', async () => {
    const served = await serveBoth('partial.git')
    const partial = scratch.fresh('partial')
    await git(['clone', '-q', '--filter=blob:none', oracle.url('partial.git'), partial])
    const work = openWorkTree(partial, 1000)
    await work.git('remote', 'set-url', '--push', 'origin', server.url('partial.git'))
    const id = await work.commit('new', 'from a partial clone\n')
    await work.git('push', '-q', 'origin', 'HEAD:refs/heads/pushed')
    expect(await git(['rev-parse', 'pushed'], { cwd: served })).toBe(id)
    expect(await findFaults(served)).toEqual([])
  })
})

describe('annotated tags that are pushed', () => {
  it('stay peeled in packed-refs', async () => {
    const served = await server.createRepository('tags.git')
    const work = await cloneWorkTree(server.url('tags.git'), scratch.fresh('tags'))
    const id = await work.commit('a', '1')
    for (let at = 0; at < 40; at++) await work.git('tag', '-a', '-m', 'x', `v${at}`)
    await work.git('push', '-q', '--atomic', 'origin', 'main', '--tags')
    const packed = await readFile(`${served}/packed-refs`, 'utf8')
    expect(packed).toMatch(/^# pack-refs with: .*fully-peeled/)
    expect(packed.split('\n').filter((line) => line === `^${id}`)).toHaveLength(40)
    expect(await gitLines(['show-ref', '--dereference', '--tags'], { cwd: served })).toHaveLength(80)
    expect(await findFaults(served)).toEqual([])
  })
})

describe('a proxy that names the user', () => {
  const asAlice = ['-c', 'http.extraHeader=X-Remote-User: alice']

  it('lets that user push, and nobody else', async () => {
    const served = await server.createRepository('users.git', { 'core.logAllRefUpdates': 'true' })
    await git(['config', '--unset', 'http.receivepack'], { cwd: served })
    const work = await cloneWorkTree(server.url('users.git'), scratch.fresh('users'))
    await work.commit('a', '1')
    expect(await gitFails(['push', 'origin', 'main'], { cwd: work.path })).toContain('403')
    expect(await readRefLines(served)).toEqual([])
    await work.git(...asAlice, 'push', '-q', 'origin', 'main')
    const log = await git(['log', '-g', '--format=%gn <%ge> %gd', '--date=unix', 'refs/heads/main'], {
      cwd: served,
    })
    expect(log).toMatch(/^alice <alice@http> main@\{\d+\}$/)
    expect(Number(/\d{9,}/.exec(log)?.[0])).toBeGreaterThan(TEST_TIME)
    await git(['config', 'http.receivepack', 'false'], { cwd: served })
    expect(await gitFails([...asAlice, 'push', 'origin', 'main:new'], { cwd: work.path })).toContain('403')
  })
})

describe('signed pushes', () => {
  it('are not offered: a client that insists says so itself, one that does not pushes', async () => {
    const served = await server.createRepository('signed.git')
    const work = await cloneWorkTree(server.url('signed.git'), scratch.fresh('signed'))
    await work.commit('a', '1')
    expect(await gitFails(['push', '--signed', 'origin', 'main'], { cwd: work.path })).toContain(
      'does not support --signed',
    )
    await work.git('push', '-q', '--signed=if-asked', 'origin', 'main')
    expect(await readRefLines(served)).toHaveLength(1)
  })
})

describe('receive.fsck.skipList', () => {
  it('names objects whose faults are put up with', async () => {
    const served = await server.createRepository('skipped.git')
    const work = await cloneWorkTree(server.url('skipped.git'), scratch.fresh('skipped'))
    await work.commit('a', '1')
    const text = (await git(['cat-file', 'commit', 'HEAD'], { cwd: work.path })).replace(
      'author A U Thor <',
      'author A U Thor<',
    )
    const args = ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin']
    const odd = await git(args, { cwd: work.path, input: `${text}\n` })
    const refusal = await gitFails(['push', 'origin', `${odd}:refs/heads/odd`], { cwd: work.path })
    expect(refusal).toContain(`remote: error: object ${odd}: missingSpaceBeforeEmail:`)
    expect(refusal).toContain('remote: fatal: fsck error in packed object')
    expect(refusal).toContain('error: remote unpack failed: index-pack abnormal exit')
    expect(refusal).toContain('[remote rejected]')
    await writeFile(`${served}/skipped`, `# known\n${odd} # oddly written\n`)
    await git(['config', 'receive.fsck.skipList', 'skipped'], { cwd: served })
    await work.git('push', '-q', 'origin', `${odd}:refs/heads/odd`)
    expect(await git(['rev-parse', 'odd'], { cwd: served })).toBe(odd)
  })
})
