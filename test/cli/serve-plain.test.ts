import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { git, gitFails, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import type { GitServer } from '../support/servers/git-server.ts'
import { startServe } from '../support/servers/packstone.ts'
import { cloneWorkTree } from '../support/work-tree.ts'
import { runPackstone } from './run-packstone.ts'

let top: string
let source: string
const running: GitServer[] = []

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-plain-'))
  source = await createHistory('merges', join(top, 'source.git'))
})

afterAll(() => rm(top, { recursive: true, force: true }))

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

async function start(storage: string, data: string, ...args: readonly string[]): Promise<GitServer> {
  const server = await startServe(['--plain', '--storage', storage, '--data', data, ...args])
  running.push(server)
  return server
}

async function stop(server: GitServer): Promise<void> {
  running.splice(running.indexOf(server), 1)
  await server.close()
}

function refsOf(repository: string): Promise<string> {
  return git(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: repository })
}

describe.each(['fs', 'sqlite', 'memory'])('packstone serve --plain --storage %s', (storage) => {
  it('makes a repository for a push, takes all of a history, and gives all of it back', async () => {
    const data = join(top, `whole-${storage}`)
    const { url } = await start(storage, data, '--create-on-push', '--allow-push')
    const address = `${url}/team/project.git`
    await git(['push', '-q', '--mirror', address], { cwd: source })
    const clone = join(top, `clone-${storage}.git`)
    await git(['clone', '-q', '--mirror', address, clone])
    expect(await refsOf(clone)).toBe(await refsOf(source))
    await git(['fsck', '--strict'], { cwd: clone })
    expect(await git(['ls-remote', `${url}/team/project`])).toBe(await git(['ls-remote', address]))
  })

  it('takes one commit after the other, which others fetch, and keeps what was not fast-forward', async () => {
    const { url } = await start(storage, join(top, `steps-${storage}`), '--create-on-push', '--allow-push')
    const address = `${url}/a.git`
    await git(['push', '-q', address, 'refs/heads/*:refs/heads/*'], { cwd: source })
    const one = await cloneWorkTree(address, join(top, `one-${storage}`))
    const two = await cloneWorkTree(address, join(top, `two-${storage}`))
    for (let round = 0; round < 3; round++) {
      const id = await one.commit('file', `round ${round}`)
      await one.git('push', '-q', 'origin', 'HEAD')
      await two.git('pull', '-q', '--ff-only')
      expect(await two.git('rev-parse', 'HEAD')).toBe(id)
    }
    await two.git('commit', '-q', '--amend', '-m', 'another')
    expect(await gitFails(['push', '-q', 'origin', 'HEAD'], { cwd: two.path })).toContain('rejected')
  })

  it('lets nobody push without --allow-push, and makes nothing without --create-on-push', async () => {
    const data = join(top, `closed-${storage}`)
    const readOnly = await start(storage, data)
    const refused = await gitFails(['push', '-q', `${readOnly.url}/new.git`, '--all'], { cwd: source })
    expect(refused).toMatch(/not found/)
    await stop(readOnly)
    const { url } = await start(storage, data, '--allow-push')
    expect(await gitFails(['push', '-q', `${url}/new.git`, '--all'], { cwd: source })).toMatch(/not found/)
    expect(await gitFails(['clone', '-q', `${url}/new.git`, join(top, 'none')])).toMatch(/not found/)
  })

  it('makes nothing for those who only look', async () => {
    const { url } = await start(storage, join(top, `look-${storage}`), '--create-on-push', '--allow-push')
    const answer = await fetch(`${url}/new.git/info/refs?service=git-receive-pack`)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('report-status')
    expect(await gitFails(['ls-remote', `${url}/new.git`])).toMatch(/not found/)
    for (const path of ['/a..lock/b.lock', '/.hidden', '/a%20b.git', '/%C3%A9.git']) {
      const status = (await fetch(`${url}${path}/info/refs?service=git-receive-pack`)).status
      expect([400, 404], path).toContain(status)
    }
  })
})

describe.each(['fs', 'sqlite'])('packstone serve --plain --storage %s', (storage) => {
  it('has after a restart what was pushed before, and serves one store from two processes', async () => {
    const data = join(top, `shared-${storage}`)
    const args = ['--create-on-push', '--allow-push'] as const
    const first = await start(storage, data, ...args)
    await git(['push', '-q', '--mirror', `${first.url}/a.git`], { cwd: source })
    const second = await start(storage, data, ...args)
    const expected = await git(['ls-remote', `${first.url}/a.git`])
    expect(await git(['ls-remote', `${second.url}/a.git`])).toBe(expected)

    const trees = await Promise.all(
      [first, second].map(({ url }, at) => cloneWorkTree(`${url}/a.git`, join(top, `both-${storage}-${at}`))),
    )
    for (let round = 0; round < 4; round++) {
      const results = await Promise.all(
        trees.map(async (tree, at) => {
          await tree.commit(`file-${at}`, `round ${round}`)
          return tryGit(['push', '-q', 'origin', 'HEAD:refs/heads/contended'], { cwd: tree.path })
        }),
      )
      // Neither descends from the other.
      expect(results.filter(({ code }) => code === 0)).toHaveLength(1)
      const winner = await trees[results[0]?.code === 0 ? 0 : 1]?.git('rev-parse', 'HEAD')
      for (const tree of trees) {
        await tree.git('fetch', '-q', 'origin', 'refs/heads/contended')
        await tree.git('reset', '-q', '--hard', 'FETCH_HEAD')
        expect(await tree.git('rev-parse', 'HEAD')).toBe(winner)
      }
    }
    const before = await git(['ls-remote', `${first.url}/a.git`])
    await stop(first)
    await stop(second)
    const again = await start(storage, data)
    expect(await git(['ls-remote', `${again.url}/a.git`])).toBe(before)
  })
})

describe('packstone serve --plain', () => {
  it('keeps everything of SQLite in one database', async () => {
    const data = join(top, 'one-file')
    const server = await start('sqlite', data, '--create-on-push', '--allow-push')
    await git(['push', '-q', '--mirror', `${server.url}/a.git`], { cwd: source })
    await stop(server)
    // Beside it there may be its log.
    expect((await readdir(data)).filter((name) => !/-(?:wal|shm)$/.test(name))).toEqual(['packstone.db'])
  })

  it('refuses options that do not go together', async () => {
    for (const [args, message] of [
      [['--plain', '--create-on-push'], /--create-on-push needs --allow-push/],
      [
        ['--storage', 'sqlite', '--bare', top],
        /--bare.* cannot be used with|cannot be used with option '--bare/,
      ],
      [['--storage', 'floppy'], /Allowed choices are fs, sqlite, memory/],
    ] as const) {
      const { code, stderr } = await runPackstone(['serve', ...args])
      expect(stderr).toMatch(message)
      expect(code).toBe(2)
    }
  })
})
