import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { serve, type RunningServer } from '../../src/hosts/node/index.ts'
import { createGitHandler, readProtocolOptions, type ResolveRepository } from '../../src/http/index.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { git, gitFails } from '../support/git.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

/*
 * The handler as a program embeds it: a repository in memory, a password, a listener. Stock git is the client.
 */

let top: string
let server: RunningServer
let repository: Repository
/** One line for a request: method, path, status of the answer, encoding of the body. */
const seen: string[] = []
const released: string[] = []

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-embedded-'))
  const storage = createMemoryStorage()
  const stored = await storage.create('team/a', { objectFormat: 'sha1', head: 'refs/heads/main' })
  repository = openRepository(stored, { codecs: createNodeCodecs() })

  const resolve: ResolveRepository = async (path, request, service) => {
    if (path !== 'team/a') return { kind: 'not-found' }
    const [, encoded = ''] = (request.headers.get('authorization') ?? '').split(' ')
    const user = Buffer.from(encoded, 'base64').toString()
    if (user === 'banned:x') return { kind: 'forbidden', message: 'you are banned' }
    const known = user === 'writer:secret'
    if (service === 'git-receive-pack' && !known) return { kind: 'unauthorized', realm: 'test' }
    return {
      kind: 'found',
      repository,
      access: { upload: true, receive: known },
      options: await readProtocolOptions(repository),
      release: () => released.push(path),
    }
  }
  const handler = createGitHandler({ resolve })
  server = await serve({
    handler: async (request) => {
      const answer = await handler(request)
      const encoding = request.headers.get('content-encoding') ?? 'plain'
      seen.push(`${request.method} ${new URL(request.url).pathname} ${answer.status} ${encoding}`)
      return answer
    },
  })
})

afterAll(async () => {
  await server.close(0)
  await repository.close()
  await rm(top, { recursive: true, force: true })
})

/** The address of the repository, with a user's name and password. */
function address(user = ''): string {
  return `${server.url.replace('://', `://${user}`)}/team/a`
}

describe('an embedded handler', () => {
  it('asks for a password before a push, and not before a clone', async () => {
    const tree = await cloneWorkTree(address(), join(top, 'first'))
    await tree.commit('file', 'content\n'.repeat(1000))
    seen.length = 0
    const refused = await gitFails(['push', 'origin', 'HEAD:main'], { cwd: tree.path })
    expect(refused).toMatch(/could not read Username|terminal prompts disabled/)
    expect(seen).toEqual(['GET /team/a/info/refs 401 plain'])
    expect(await gitFails(['push', address('writer:wrong@'), 'HEAD:main'], { cwd: tree.path })).toMatch(
      /Authentication failed/,
    )
    const banned = `http.extraHeader=Authorization: Basic ${Buffer.from('banned:x').toString('base64')}`
    expect(await gitFails(['-c', banned, 'ls-remote', address()])).toMatch(/remote: you are banned\n/)

    await git(['push', address('writer:secret@'), 'HEAD:main'], { cwd: tree.path })
    expect(await git(['ls-remote', address(), 'refs/heads/main'])).toBe(
      `${await tree.git('rev-parse', 'HEAD')}\trefs/heads/main`,
    )
  })

  it('takes a large push in chunks, which git announces with a probe', async () => {
    const tree = await cloneWorkTree(address(), join(top, 'large'))
    const noise = Array.from({ length: 40_000 }, (_, line) => `${line * 2654435761}`).join('\n')
    await tree.commit('noise', noise)
    seen.length = 0
    await git(['-c', 'http.postBuffer=65536', 'push', address('writer:secret@'), 'HEAD:large'], {
      cwd: tree.path,
    })
    expect(seen.filter((line) => line.startsWith('POST'))).toEqual([
      'POST /team/a/git-receive-pack 200 plain',
      'POST /team/a/git-receive-pack 200 plain',
    ])
    expect(await git(['ls-remote', address(), 'refs/heads/large'])).toContain(
      await tree.git('rev-parse', 'HEAD'),
    )
  })

  it('takes the gzip bodies that git sends when it has much to say', async () => {
    const tree = await cloneWorkTree(address(), join(top, 'branches'))
    const branches: string[] = []
    for (let branch = 0; branch < 30; branch++) {
      branches.push(`${await tree.commit('own', String(branch))}:refs/heads/branch-${branch}`)
    }
    await git(['push', '--quiet', address('writer:secret@'), ...branches], { cwd: tree.path })
    for (const version of [0, 2]) {
      seen.length = 0
      const path = join(top, `gzip-${version}.git`)
      await git(['-c', `protocol.version=${version}`, 'clone', '--quiet', '--mirror', address(), path])
      expect(seen).toContain('POST /team/a/git-upload-pack 200 gzip')
      expect(await git(['rev-parse', 'branch-29'], { cwd: path })).toBe(await tree.git('rev-parse', 'HEAD'))
      await git(['fsck', '--full', '--strict'], { cwd: path })
    }
  })

  it('gives the repository back after every request', async () => {
    released.length = 0
    seen.length = 0
    await git(['clone', '--quiet', '--bare', address(), join(top, 'last.git')])
    expect(released).toHaveLength(seen.length)
  })
})
