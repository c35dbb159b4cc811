import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startS3Server, type S3Server } from '../support/buckets/s3-server.ts'
import { git, gitFails } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { serveBucketHub } from '../support/servers/bucket-servers.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()

describe('packstone serve --storage s3', () => {
  let store: S3Server

  beforeAll(async () => {
    store = await startS3Server()
  })

  afterAll(() => store.close())

  it('keeps a hub in a bucket and nowhere else, for several servers at once', async () => {
    const [first, second] = await Promise.all([serveBucketHub(store, 'hub/'), serveBucketHub(store, 'hub/')])
    const call = async (url: string, method: string, path: string, body?: object): Promise<unknown> => {
      const answer = await fetch(`${url}/client/v4/accounts/local/artifacts/namespaces/team${path}`, {
        method,
        headers: { Authorization: 'Bearer secret' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const { result } = (await answer.json()) as { result: unknown }
      return result ?? answer.status
    }
    const created = (await call(first.url, 'POST', '/repos', { name: 'a' })) as { token: string }
    expect(await call(second.url, 'POST', '/repos', { name: 'A' })).toBe(409)
    const secret = created.token.replace(/\?.*/, '')
    const remote = (url: string): string => `${url.replace('//', `//x:${secret}@`)}/git/team/a.git`
    const tree = await cloneWorkTree(remote(second.url), scratch.fresh('tree'))
    await tree.git('checkout', '-q', '-b', 'main')
    const head = await tree.commit('file', 'content')
    await tree.git('push', '-q', 'origin', 'main')
    expect(await git(['ls-remote', remote(first.url), 'refs/heads/main'])).toBe(`${head}\trefs/heads/main`)
    const forked = await call(first.url, 'POST', '/repos/a/fork', { name: 'b' })
    expect(forked).toMatchObject({ name: 'b', objects: 3 })
    expect(await call(second.url, 'GET', '/repos?sort=name&direction=asc')).toMatchObject([
      { name: 'a', status: 'ready' },
      { name: 'b', source: 'artifacts:team/a' },
    ])
    const tokens = (await call(first.url, 'GET', '/repos/a/tokens')) as { id: string }[]
    await call(first.url, 'DELETE', `/tokens/${tokens[0]?.id ?? ''}`)
    expect(await gitFails(['ls-remote', remote(second.url)])).toContain('403')
    await Promise.all([first.close(), second.close()])
  })
})
