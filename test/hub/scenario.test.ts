import { expect, it } from 'vitest'
import { createTestHub, type CreatedResult, type RestAnswer } from './support.ts'

/**
 * The control plane as it was seen to answer: status, envelope, code, message, pointer and page of every route, in one story. What is
 * different every time (ids, tokens, times) is put by a sign.
 */

const NAME_MESSAGE = 'Invalid repo name: must match /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/'

function normalized(text: string): string {
  return text
    .replace(/art_v2_x_[0-9a-f]{40}\?expires=\d+/g, 'TOKEN')
    .replace(/"id":"[0-9a-z]{16}"/g, '"id":"ID"')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replace(/"cursor":"[A-Za-z0-9_-]+"/g, '"cursor":"CURSOR"')
}

function success(result: unknown, info?: unknown): string {
  const envelope = { result, success: true, errors: [], messages: [] }
  return JSON.stringify(info === undefined ? envelope : { ...envelope, result_info: info })
}

function failure(code: number, message: string, pointer?: string): string {
  const error = {
    code,
    message,
    documentation_url: `https://developers.cloudflare.com/artifacts/api/errors#${code}`,
    ...(pointer === undefined ? {} : { source: { pointer } }),
  }
  return JSON.stringify({ result: null, success: false, errors: [error], messages: [] })
}

const pages = (
  page: number,
  per_page: number,
  total_pages: number,
  count: number,
  total_count: number,
): object => ({
  page,
  per_page,
  total_pages,
  count,
  total_count,
})

const remote = (name: string): string => `https://hub.example/git/ns-one/${name}.git`

const created = (name: string, more: object = {}): object => ({
  id: 'ID',
  name,
  description: null,
  default_branch: 'main',
  remote: remote(name),
  token: 'TOKEN',
  ...more,
})

const row = (name: string, more: object = {}): object => ({
  id: 'ID',
  name,
  description: null,
  default_branch: 'main',
  created_at: 'TIME',
  updated_at: 'TIME',
  last_push_at: null,
  source: null,
  read_only: false,
  remote: remote(name),
  ...more,
})

it('the control plane answers a whole story as Artifacts does', async () => {
  let now = 1_790_000_000_000
  const { call, failures } = createTestHub({ clock: () => (now += 1000) })
  const answers = async (
    method: string,
    path: string,
    body: unknown,
    status: number,
    text: string,
  ): Promise<RestAnswer> => {
    const answer = await call(method, path, body)
    expect([`${method} ${path}`, answer.status, normalized(answer.text)]).toEqual([
      `${method} ${path}`,
      status,
      text,
    ])
    expect(answer.type).toBe('application/json')
    return answer
  }
  const get = (path: string, status: number, text: string): Promise<RestAnswer> =>
    answers('GET', path, undefined, status, text)
  const post = (path: string, body: unknown, status: number, text: string): Promise<RestAnswer> =>
    answers('POST', path, body, status, text)
  const remove = (path: string, status: number, text: string): Promise<RestAnswer> =>
    answers('DELETE', path, undefined, status, text)

  // Namespaces.
  await get('/namespaces', 200, success([], pages(1, 100, 0, 0, 0)))
  const namespace = (name: string, jurisdiction: string, repo_count: number): object => ({
    namespace: name,
    jurisdiction,
    repo_count,
    created_at: 'TIME',
    updated_at: 'TIME',
  })
  const nsEu = namespace('ns-eu', 'eu', 0)
  await post('/namespaces', { namespace: 'ns-eu', jurisdiction: 'eu', unknown: 1 }, 201, success(nsEu))
  await post('/namespaces', { namespace: 'NS-EU' }, 409, failure(10201, 'Namespace already exists'))
  for (const name of ['x', '-ab', 'ab-', 'a b', 'a'.repeat(64), '', 7, undefined]) {
    await post(
      '/namespaces',
      { namespace: name },
      400,
      failure(10100, 'Invalid namespace name', '/namespace'),
    )
  }
  await post(
    '/namespaces',
    { namespace: 'ns-two', jurisdiction: 'moon' },
    400,
    failure(10100, 'Invalid option: expected one of "unrestricted"|"eu"|"us"|"fedramp"', '/jurisdiction'),
  )
  await get('/namespaces/ns-eu', 200, success(nsEu))
  await get('/namespaces/none', 404, failure(10200, 'Namespace not found'))
  await remove('/namespaces/none', 404, failure(10200, 'Namespace not found'))

  // Repositories: creation.
  await get('/namespaces/ns-one/repos', 200, success([], pages(1, 50, 0, 0, 0)))
  await post('/namespaces/ns-one/repos', { name: 'one' }, 201, success(created('one')))
  await post(
    '/namespaces/ns-one/repos',
    { name: 'Two', description: 'second', default_branch: 'trunk/a', read_only: true },
    201,
    success(created('Two', { description: 'second', default_branch: 'trunk/a' })),
  )
  await post('/namespaces/ns-one/repos', { name: 'tWO' }, 409, failure(10201, 'repo already exists: tWO'))
  for (const name of ['', '-a', '.a', 'a b', 'a/b', 'ü', 'a'.repeat(101), 7, null, undefined]) {
    await post('/namespaces/ns-one/repos', { name }, 400, failure(10101, NAME_MESSAGE, '/name'))
  }
  for (const branch of ['a..b', 'a/', 'a.', '/a', '-a', 'a//b', 'a.lock', '']) {
    const text = failure(10100, 'Invalid branch name', '/default_branch')
    await post('/namespaces/ns-one/repos', { name: 'x', default_branch: branch }, 400, text)
  }
  await post(
    '/namespaces/ns-one/repos',
    { name: 'x', read_only: 'yes' },
    400,
    failure(10100, 'Invalid input: expected boolean, received string', '/read_only'),
  )
  await post('/namespaces/ns-one/repos', '{"name":', 400, failure(10100, 'Invalid JSON body'))
  await post(
    '/namespaces/ns-one/repos',
    [],
    400,
    failure(10100, 'Invalid input: expected object, received array'),
  )
  await post(
    '/namespaces/x/repos',
    { name: 'x' },
    400,
    failure(10100, 'Invalid namespace name', '/namespace'),
  )

  // Repositories: one, and lists of all forms.
  await get('/namespaces/ns-one/repos/ONE', 200, success(row('one')))
  await get('/namespaces/ns-one/repos/none', 404, failure(10200, 'Repository not found'))
  await get('/namespaces/none/repos/one', 404, failure(10200, 'Repository not found'))
  for (const name of ['three', 'four', 'five']) {
    await post('/namespaces/ns-one/repos', { name }, 201, success(created(name)))
  }
  const rows = {
    one: row('one', { status: 'ready' }),
    two: row('Two', {
      description: 'second',
      default_branch: 'trunk/a',
      read_only: true,
      status: 'ready',
    }),
    three: row('three', { status: 'ready' }),
    four: row('four', { status: 'ready' }),
    five: row('five', { status: 'ready' }),
  }
  const all = [rows.five, rows.four, rows.three, rows.two, rows.one]
  const repos = '/namespaces/ns-one/repos'
  await get(repos, 200, success(all, pages(1, 50, 1, 5, 5)))
  const first = await get(
    `${repos}?limit=2`,
    200,
    success(all.slice(0, 2), { cursor: 'CURSOR', per_page: 2, count: 2 }),
  )
  const cursorOf = (answer: RestAnswer): string => String(answer.json.result_info?.['cursor'])
  const second = await get(
    `${repos}?limit=2&cursor=${cursorOf(first)}`,
    200,
    success(all.slice(2, 4), { cursor: 'CURSOR', per_page: 2, count: 2 }),
  )
  await get(`${repos}?limit=2&cursor=${cursorOf(second)}`, 200, success(all.slice(4), pages(3, 2, 3, 1, 5)))
  await get(
    `${repos}?limit=2&page=1`,
    200,
    success(all.slice(0, 2), { ...pages(1, 2, 3, 2, 5), cursor: 'CURSOR' }),
  )
  await get(`${repos}?limit=2&page=3`, 200, success(all.slice(4), pages(3, 2, 3, 1, 5)))
  await get(`${repos}?limit=2&page=4`, 200, success([], pages(4, 2, 3, 0, 5)))
  await get(
    `${repos}?sort=name&direction=asc&limit=2`,
    200,
    success([rows.five, rows.four], { cursor: 'CURSOR', per_page: 2, count: 2 }),
  )
  await get(`${repos}?search=O&sort=created_at`, 200, expect.stringContaining('"total_count":3') as never)
  await get(`${repos}?search=fIV`, 200, success([rows.five], pages(1, 50, 1, 1, 1)))
  await get(`${repos}?search=none`, 200, success([], pages(1, 50, 0, 0, 0)))
  const bad: readonly (readonly [string, string, string])[] = [
    ['limit=500', 'Too big: expected number to be <=200', '/limit'],
    ['limit=0', 'Too small: expected number to be >0', '/limit'],
    ['limit=x', 'Invalid input: expected number, received NaN', '/limit'],
    ['page=0', 'Too small: expected number to be >0', '/page'],
    ['sort=size', 'Invalid option: expected one of "created_at"|"updated_at"|"last_push_at"|"name"', '/sort'],
    ['direction=up', 'Invalid option: expected one of "asc"|"desc"', '/direction'],
    ['cursor=abc', 'Invalid cursor', '/cursor'],
    [`sort=name&cursor=${cursorOf(first)}`, 'Invalid cursor', '/cursor'],
  ]
  for (const [query, message, pointer] of bad) {
    await get(`${repos}?${query}`, 400, failure(10100, message, pointer))
  }
  await get(
    '/namespaces',
    200,
    success([nsEu, namespace('ns-one', 'unrestricted', 5)], pages(1, 100, 1, 2, 2)),
  )
  await get('/namespaces?limit=1', 200, success([nsEu], { cursor: 'CURSOR', per_page: 1, count: 1 }))
  await get(
    '/namespaces?limit=1&page=2',
    200,
    success([namespace('ns-one', 'unrestricted', 5)], pages(2, 1, 2, 1, 2)),
  )
  await remove('/namespaces/ns-one', 409, failure(10201, 'Namespace still has repositories'))

  // Tokens.
  const tokens = '/namespaces/ns-one/tokens'
  const minted = (scope: string): object => ({ id: 'ID', plaintext: 'TOKEN', scope, expires_at: 'TIME' })
  await post(tokens, { repo: 'one' }, 201, success(minted('write')))
  const read = await post(tokens, { repo: 'ONE', scope: 'read', ttl: 60 }, 201, success(minted('read')))
  const ttlMessage = 'ttl must be between 60 and 31536000 seconds'
  for (const ttl of [59, 31_536_001, 60.5, -1, 'long']) {
    // A wrong time to live is told before the repository is looked for.
    await post(tokens, { repo: 'none', ttl }, 400, failure(10103, ttlMessage, '/ttl'))
  }
  await post(tokens, { repo: 'none' }, 404, failure(10200, 'Repository not found'))
  await post(
    tokens,
    { repo: 'one', scope: 'admin' },
    400,
    failure(10100, 'Invalid option: expected one of "read"|"write"', '/scope'),
  )
  await post(tokens, {}, 400, failure(10100, 'Invalid input: expected string, received undefined', '/repo'))
  const listed = (scope: string, state: string): object => ({
    id: 'ID',
    scope,
    state,
    created_at: 'TIME',
    expires_at: 'TIME',
  })
  const active = [listed('read', 'active'), listed('write', 'active'), listed('write', 'active')]
  await get(`${repos}/one/tokens`, 200, success(active, pages(1, 30, 1, 3, 3)))
  await get(`${repos}/one/tokens?per_page=2&page=2`, 200, success(active.slice(2), pages(2, 2, 2, 1, 3)))
  await get(
    `${repos}/one/tokens?per_page=101`,
    400,
    failure(10100, 'Too big: expected number to be <=100', '/per_page'),
  )
  await get(`${repos}/none/tokens`, 404, failure(10200, 'Repository not found'))
  const { id } = read.json.result as { id: string }
  await remove(`/namespaces/ns-eu/tokens/${id}`, 404, failure(10200, 'Token not found'))
  await remove(`${tokens}/${id}`, 200, success({ id: 'ID' }))
  await remove(`${tokens}/${id}`, 200, success({ id: 'ID' }))
  await remove(`${tokens}/0000000000000000`, 404, failure(10200, 'Token not found'))
  await get(`${repos}/one/tokens`, 200, success(active.slice(1), pages(1, 30, 1, 2, 2)))
  await get(
    `${repos}/one/tokens?state=revoked`,
    200,
    success([listed('read', 'revoked')], pages(1, 30, 1, 1, 1)),
  )
  await get(`${repos}/one/tokens?state=expired`, 200, success([], pages(1, 30, 0, 0, 0)))
  await get(`${repos}/one/tokens?state=all`, 200, expect.stringContaining('"total_count":3') as never)

  // Forks.
  await post(`${repos}/one/fork`, { name: 'fork' }, 201, success({ ...created('fork'), objects: 0 }))
  await get(`${repos}/fork`, 200, success(row('fork', { source: 'artifacts:ns-one/one' })))
  await post(`${repos}/none/fork`, { name: 'fork2' }, 404, failure(10200, 'Repository not found'))
  await post(`${repos}/one/fork`, { name: 'FORK' }, 409, failure(10201, 'repo already exists: FORK'))
  await post(`${repos}/one/fork`, { name: '-' }, 400, failure(10101, NAME_MESSAGE, '/name'))
  await post(`${repos}/one/fork`, {}, 400, failure(10101, NAME_MESSAGE, '/name'))

  // Deletion.
  const gone = await remove(`${repos}/one`, 202, success({ id: 'ID' }))
  const again = await remove(`${repos}/ONE`, 202, success({ id: 'ID' }))
  expect(again.json.result).toEqual(gone.json.result)
  await remove(`${repos}/never`, 404, failure(10200, 'Repository not found'))
  await get(`${repos}/one`, 404, failure(10200, 'Repository not found'))
  await get(`${repos}/one/tokens`, 404, failure(10200, 'Repository not found'))
  await get(`${repos}/fork`, 200, success(row('fork', { source: 'artifacts:ns-one/one' })))
  await post(repos, { name: 'one' }, 201, success(created('one')))
  for (const name of ['one', 'two', 'three', 'four', 'five', 'fork']) {
    await remove(`${repos}/${name}`, 202, success({ id: 'ID' }))
  }
  const deleted = await call('DELETE', '/namespaces/ns-one')
  expect([deleted.status, deleted.text, deleted.type]).toEqual([204, '', null])
  await remove('/namespaces/ns-one', 404, failure(10200, 'Namespace not found'))
  expect(failures).toEqual([])
})

it('a path that is no route is answered with plain text, and a method likewise', async () => {
  const { call, hub } = createTestHub()
  for (const [method, path] of [
    ['GET', '/nothing'],
    ['GET', '/namespaces/a/repos/b/nothing'],
    ['PUT', '/namespaces'],
    ['PATCH', '/namespaces/a/repos/b'],
  ] as const) {
    const answer = await call(method, path)
    expect([path, answer.status, answer.type, answer.text]).toEqual([
      path,
      404,
      'text/plain; charset=UTF-8',
      '404 Not Found',
    ])
  }
  expect((await hub.fetch(new Request('https://hub.example/'))).status).toBe(404)
})

it('only API tokens open the control plane: those for reading read, and only in their account', async () => {
  const { call, hub, result } = createTestHub({
    apiTokens: ['full', { token: 'reader', permission: 'read' }],
  })
  const as = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` })
  const made = await call('POST', '/namespaces/ns/repos', { name: 'a' }, as('full'))
  const repositoryToken = (made.json.result as { token: string }).token
  const denied = async (headers: Record<string, string>, method = 'GET'): Promise<unknown[]> => {
    const answer = await call(method, '/namespaces/ns/repos/a', undefined, headers)
    return [answer.status, answer.json.success, answer.json.errors[0]?.['code']]
  }
  expect(await denied({ Authorization: '' })).toEqual([401, false, 10000])
  expect(await denied(as('other'))).toEqual([401, false, 10000])
  expect(await denied(as('ful'))).toEqual([401, false, 10000])
  expect(await denied(as(repositoryToken))).toEqual([401, false, 10000])
  expect(await denied({ Authorization: `Basic ${btoa('x:full')}` })).toEqual([401, false, 10000])
  expect(await denied(as('reader'), 'DELETE')).toEqual([403, false, 10004])
  expect((await call('GET', '/namespaces/ns/repos/a', undefined, as('reader'))).status).toBe(200)
  const elsewhere = await hub.fetch(
    new Request('https://hub.example/client/v4/accounts/other/artifacts/namespaces', {
      headers: as('full'),
    }),
  )
  expect(elsewhere.status).toBe(403)
  await expect(result('GET', '/namespaces')).rejects.toThrow('401')
})

it('a callback decides about the control plane where one is given', async () => {
  const { call } = createTestHub({
    authenticate: (token, request) =>
      token === undefined ? undefined : request.headers.get('X-Team') === 'ours' ? 'edit' : 'none',
  })
  expect((await call('GET', '/namespaces', undefined, { 'X-Team': 'ours' })).status).toBe(200)
  expect((await call('GET', '/namespaces')).status).toBe(403)
  expect((await call('GET', '/namespaces', undefined, { Authorization: '' })).status).toBe(401)
})

it('a namespace is told how long to wait when it is asked for too often', async () => {
  let now = 1_790_000_000_000
  const { call } = createTestHub({
    clock: () => now,
    limits: { controlRate: { requests: 2, seconds: 10 } },
  })
  const ask = async (namespace: string): Promise<unknown[]> => {
    const { status, headers } = await call('GET', `/namespaces/${namespace}/repos`)
    return [status, headers.get('Retry-After')]
  }
  expect([await ask('a'), await ask('a'), await ask('A'), await ask('b')]).toEqual([
    [200, null],
    [200, null],
    [429, '10'],
    [200, null],
  ])
  now += 9500
  expect(await ask('a')).toEqual([429, '1'])
  now += 500
  expect(await ask('a')).toEqual([200, null])
})

it('of concurrent creations and forks of one name exactly one wins, and the others hear that it is taken', async () => {
  const { call, hub, storage } = createTestHub()
  await call('POST', '/namespaces/ns/repos', { name: 'source' })
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      at % 2 === 0
        ? call('POST', '/namespaces/ns/repos', { name: at % 4 === 0 ? 'name' : 'NAME' })
        : call('POST', '/namespaces/ns/repos/source/fork', { name: 'Name' }),
    ),
  )
  const statuses = outcomes.map(({ status }) => status).sort()
  expect(statuses).toEqual([201, ...Array<number>(7).fill(409)])
  await hub.close()
  expect((await storage.list()).keys.length).toBe(2)
})

it('a hub mounted below a path answers there, and its remotes say so', async () => {
  const base = 'https://example.com/deep/hub'
  const { hub, result } = createTestHub({ origin: `${base}/` })
  const { remote, token } = await result<CreatedResult>('POST', '/namespaces/ns/repos', { name: 'a' })
  expect(remote).toBe(`${base}/git/ns/a.git`)
  const ask = async (address: string): Promise<number> => {
    const headers = { Authorization: `Bearer ${token}` }
    const url = `${address}/info/refs?service=git-upload-pack`
    return (await hub.fetch(new Request(url, { headers }))).status
  }
  expect(await ask(remote)).toBe(200)
  expect(await ask('https://example.com/git/ns/a.git')).toBe(404)
})
