import { expect, it } from 'vitest'
import { GitError } from '../../src/errors.ts'
import { createMemoryRegistry } from '../../src/hub/registry/memory/memory-registry.ts'
import type { Registry } from '../../src/hub/registry/registry.ts'
import { API_TOKEN, createTestHub } from './support.ts'

it('a repository is created with its namespace, shown in any case, and listed', async () => {
  const { call } = createTestHub()
  const created = await call('POST', '/namespaces/team/repos', { name: 'One', description: 'the first' })
  expect(created.text).toMatch(
    /^\{"result":\{"id":"[0-9a-z]{16}","name":"One","description":"the first","default_branch":"main","remote":"https:\/\/hub.example\/git\/team\/One.git","token":"art_v2_x_[0-9a-f]{40}\?expires=\d+"\},"success":true,"errors":\[\],"messages":\[\]\}$/,
  )
  expect(created.status).toBe(201)
  const fields =
    'id name description default_branch created_at updated_at last_push_at source read_only remote'
  const shown = await call('GET', '/namespaces/TEAM/repos/one')
  expect([shown.status, Object.keys(shown.json.result as object).join(' ')]).toEqual([200, fields])
  const listed = await call('GET', '/namespaces/team/repos')
  expect(listed.json.result).toEqual([{ ...(shown.json.result as object), status: 'ready' }])
})

it('a failure of the server is told without its inside, over REST and to Git, and to the one who runs it', async () => {
  const registry = createMemoryRegistry()
  let problem: Error = new Error('the password of the database is 1234')
  const broken: Registry = {
    ...registry,
    findRepository: () => Promise.reject(problem),
    findTokenByHash: () => Promise.reject(problem),
  }
  const { call, hub, failures } = createTestHub({ registry: broken })
  const askGit = (): Promise<Response> =>
    hub.fetch(
      new Request('https://hub.example/git/ns/a.git/info/refs?service=git-upload-pack', {
        headers: { Authorization: `Bearer art_v2_x_${'0'.repeat(40)}` },
      }),
    )
  const answer = await call('GET', '/namespaces/ns/repos/a')
  expect([answer.status, answer.json.errors]).toMatchObject([500, [{ code: 10400 }]])
  const git = await askGit()
  expect(git.status).toBe(500)
  expect(answer.text + (await git.text())).not.toContain('1234')
  expect(failures).toEqual([problem, problem])

  problem = new GitError('LOCKED', 'somebody holds /srv/hub.db')
  const busy = await call('GET', '/namespaces/ns/repos/a')
  expect([busy.status, busy.headers.get('Retry-After'), busy.json.errors]).toMatchObject([
    503,
    '1',
    [{ code: 10401 }],
  ])
  const busyGit = await askGit()
  expect(busyGit.status).toBe(503)
  expect(busy.text + (await busyGit.text())).not.toContain('hub.db')
})

it('a callback that fails lets nobody in', async () => {
  const { call, hub, failures } = createTestHub({
    authenticate: () => Promise.reject(new Error('the directory is away')),
  })
  expect((await call('GET', '/namespaces')).status).toBe(500)
  expect((await hub.fetch(new Request('https://hub.example/client/v4/accounts'))).status).toBe(500)
  expect(failures.length).toBe(2)
})

it('tools find the account that an API token opens', async () => {
  const { hub } = createTestHub()
  const ask = async (path: string, token: string): Promise<unknown[]> => {
    const headers = { Authorization: `Bearer ${token}` }
    const answer = await hub.fetch(new Request(`https://hub.example/client/v4/${path}`, { headers }))
    const body = (await answer.json()) as { result: unknown }
    return [answer.status, body.result]
  }
  const account = { id: 'acct', name: 'acct' }
  expect(await ask('accounts', API_TOKEN)).toEqual([200, [account]])
  expect(await ask('memberships?page=1', API_TOKEN)).toEqual([
    200,
    [{ id: 'acct', status: 'accepted', account }],
  ])
  expect(await ask('accounts', 'other')).toEqual([401, null])
})
