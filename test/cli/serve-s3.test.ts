import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startS3Server, type S3Server } from '../support/buckets/s3-server.ts'
import { git, gitFails } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { serveBucket } from '../support/servers/bucket-servers.ts'
import { cloneWorkTree } from '../support/work-tree.ts'
import { runPackstone } from './run-packstone.ts'

describe('packstone serve --plain --storage s3', () => {
  let top: string
  let source: string
  let store: S3Server

  beforeAll(async () => {
    top = await mkdtemp(join(tmpdir(), 'packstone-s3-'))
    store = await startS3Server()
    source = await createHistory('merges', join(top, 'source.git'))
  })

  afterAll(async () => {
    await store.close()
    await rm(top, { recursive: true, force: true })
  })

  it('makes a repository for a push, takes all of a history, and gives all of it back from another process', async () => {
    const first = await serveBucket(store, 'whole/', '--create-on-push', '--allow-push')
    await git(['push', '-q', '--mirror', `${first.url}/team/project.git`], { cwd: source })
    await first.close()
    const second = await serveBucket(store, 'whole/')
    const clone = join(top, 'clone.git')
    await git(['clone', '-q', '--mirror', `${second.url}/team/project.git`, clone])
    const refs = ['for-each-ref', '--format=%(refname) %(objectname)']
    expect(await git(refs, { cwd: clone })).toBe(await git(refs, { cwd: source }))
    await git(['fsck', '--strict'], { cwd: clone })
    await second.close()
  })

  it('takes a pack of several parts, and one commit after the other through two processes at once', async () => {
    const servers = await Promise.all(
      [1, 2].map(() =>
        serveBucket(store, 'two/', '--create-on-push', '--allow-push', '--memory-budget', '8'),
      ),
    )
    const [one, two] = servers.map(({ url }) => `${url}/a.git`)
    await git(['push', '-q', one ?? '', 'refs/heads/*:refs/heads/*'], { cwd: source })
    const here = await cloneWorkTree(one ?? '', join(top, 'here'))
    await here.commit('large', randomBytes(20 << 20).toString('base64'))
    await here.git('push', '-q', 'origin', 'HEAD')
    const there = await cloneWorkTree(two ?? '', join(top, 'there'))
    for (let round = 0; round < 3; round++) {
      const id = await here.commit('file', `round ${round}`)
      await here.git('push', '-q', 'origin', 'HEAD')
      await there.git('pull', '-q', '--ff-only')
      expect(await there.git('rev-parse', 'HEAD')).toBe(id)
    }
    await there.git('commit', '-q', '--amend', '-m', 'another')
    expect(await gitFails(['push', '-q', 'origin', 'HEAD'], { cwd: there.path })).toContain('rejected')
    await there.git('fsck', '--strict')
    await Promise.all(servers.map((server) => server.close()))
  })

  it('says which option or credential is missing', async () => {
    for (const [args, message] of [
      [['--storage', 's3', '--plain'], /--storage s3 needs --endpoint and --bucket/],
      [['--plain', '--endpoint', 'http://host', '--data', top], /need --storage s3/],
      [
        ['--storage', 's3', '--plain', '--endpoint', 'http://host', '--bucket', 'git'],
        /needs AWS_ACCESS_KEY_ID/,
      ],
    ] as const) {
      const { code, stderr } = await runPackstone(['serve', ...args])
      expect(stderr).toMatch(message)
      expect(code).toBe(2)
    }
  })
})
