import { beforeAll, describe, expect, it } from 'vitest'
import { API_TOKEN, ACCOUNT, createTestHub, ORIGIN, type RestAnswer, type TestHub } from '../support.ts'

const author = { name: 'A U Thor', email: 'author@example.com', timestamp: 1_600_000_000, timezone: '+0200' }
const REPO = '/namespaces/team/repos/docs'

let hub: TestHub
let first: { hash: string; tree_hash: string }
let second: { hash: string; tree_hash: string; ref: string; before: string | null }

function commit(body: Record<string, unknown>): Promise<RestAnswer> {
  return hub.call('POST', `${REPO}/commits`, { message: 'a change', author, ...body })
}

const base64 = (bytes: readonly number[]): string => Buffer.from(bytes).toString('base64')

/** Gets bytes, which the envelope of `call` is not for. */
async function fetchRaw(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const url = `${ORIGIN}/client/v4/accounts/${ACCOUNT}/artifacts${path}`
  return hub.hub.fetch(new Request(url, { headers: { Authorization: `Bearer ${API_TOKEN}`, ...headers } }))
}

function expectFailure(
  answer: RestAnswer,
  status: number,
  code: number,
  message: string,
  pointer?: string,
): void {
  expect([answer.status, answer.json.errors]).toMatchObject([
    status,
    [{ code, message, ...(pointer === undefined ? {} : { source: { pointer } }) }],
  ])
}

beforeAll(async () => {
  hub = createTestHub({ limits: { readBytes: 5000 } })
  await hub.result('POST', '/namespaces/team/repos', { name: 'docs' })
  const initial = await commit({
    message: '  spaced\n\nbody\n\n',
    changes: [
      { path: 'README.md', content: '# hello\n' },
      { path: 'page.html', content: '<script>1</script>' },
      { path: 'src/a b.ts', content: 'export {}\n' },
      { path: 'logo.png', content: base64([0x89, 0x50, 0, 1]), encoding: 'base64' },
      { path: 'data', content: base64([1, 0, 2]), encoding: 'base64' },
      { path: 'latin', content: base64([0xfc, 0x62]), encoding: 'base64' },
      { path: 'run.sh', content: '#!/bin/sh\n', mode: '100755' },
      { path: 'link', content: 'README.md', mode: '120000' },
      { path: 'large', content: 'x'.repeat(6000) },
    ],
  })
  expect(initial.status).toBe(201)
  first = initial.json.result as typeof first
  const next = await commit({
    expected_head: first.hash,
    changes: [
      { path: 'README.md', content: '# hello again\n' },
      { path: 'data', delete: true },
    ],
  })
  second = next.json.result as typeof second
  await commit({ branch: 'topic/one', start_point: first.hash, changes: [{ path: 'x', content: '1' }] })
})

describe('content over REST', () => {
  it('log lists commits by any kind of ref, with limit and offset, and nothing for an unknown one', async () => {
    const log = await hub.call('GET', `${REPO}/log`)
    expect(Object.keys(log.json)).toEqual(['result', 'success', 'errors', 'messages'])
    const [latest, root] = log.json.result as Record<string, unknown>[]
    expect(Object.keys(latest ?? {})).toEqual([
      'hash',
      'treeHash',
      'message',
      'author',
      'committer',
      'parents',
      'authoredAt',
      'committedAt',
    ])
    expect(latest).toMatchObject({ hash: second.hash, treeHash: second.tree_hash, parents: [first.hash] })
    expect(root).toMatchObject({ message: '  spaced\n\nbody\n', parents: [], authoredAt: author.timestamp })
    const hashes = async (query: string): Promise<string[]> =>
      (await hub.result<{ hash: string }[]>('GET', `${REPO}/log${query}`)).map(({ hash }) => hash)
    for (const ref of ['HEAD', 'main', 'refs/heads/main', 'heads/main', second.hash])
      expect(await hashes(`?ref=${encodeURIComponent(ref)}`)).toEqual([second.hash, first.hash])
    expect(await hashes('?limit=1&offset=1')).toEqual([first.hash])
    expect(await hashes('?limit=5000')).toHaveLength(2)
    expect(await hashes('?ref=topic/one')).toHaveLength(2)
    for (const ref of ['absent', 'main~1', second.hash.slice(0, 12)]) {
      expect(await hashes(`?ref=${encodeURIComponent(ref)}`)).toEqual([])
    }
    expectFailure(
      await hub.call('GET', `${REPO}/log?limit=0`),
      400,
      10100,
      'Too small: expected number to be >0',
      '/limit',
    )
    expectFailure(
      await hub.call('GET', '/namespaces/team/repos/none/log'),
      404,
      10200,
      'Repository not found',
    )
    await hub.result('POST', '/namespaces/team/repos', { name: 'empty' })
    expect(await hub.result('GET', '/namespaces/team/repos/empty/log')).toEqual([])
  })

  it('commit and tree read what a hash names, to be kept for ever', async () => {
    const shown = await hub.call('GET', `${REPO}/commit/${first.hash}`)
    expect(shown.json.result).toMatchObject({ hash: first.hash, treeHash: first.tree_hash })
    expect([shown.headers.get('ETag'), shown.headers.get('Cache-Control')]).toEqual([
      `"${first.hash}"`,
      'private, max-age=31536000, immutable',
    ])
    const tree = await hub.result<Record<string, string>[]>('GET', `${REPO}/tree/${first.tree_hash}`)
    expect(Object.keys(tree[0] ?? {})).toEqual(['name', 'mode', 'hash', 'type'])
    expect(tree.map(({ name, mode, type }) => [name, mode, type])).toEqual([
      ['README.md', '100644', 'blob'],
      ['data', '100644', 'blob'],
      ['large', '100644', 'blob'],
      ['latin', '100644', 'blob'],
      ['link', '120000', 'symlink'],
      ['logo.png', '100644', 'blob'],
      ['page.html', '100644', 'blob'],
      ['run.sh', '100755', 'exec'],
      ['src', '40000', 'tree'],
    ])
  })

  it('hashes that are malformed, absent or of another type fail as documented', async () => {
    const absent = '1'.repeat(40)
    const blob =
      (await hub.result<{ hash: string }[]>('GET', `${REPO}/tree/${first.tree_hash}`))[0]?.hash ?? ''
    for (const route of ['commit', 'tree', 'blob']) {
      for (const bad of ['xyz', first.hash.toUpperCase(), first.hash.slice(1)])
        expectFailure(
          await hub.call('GET', `${REPO}/${route}/${bad}`),
          400,
          10100,
          'Invalid SHA-1 hash',
          '/hash',
        )
      const title = { commit: 'Commit', tree: 'Tree', blob: 'Blob' }[route] ?? ''
      expectFailure(await hub.call('GET', `${REPO}/${route}/${absent}`), 404, 10200, `${title} not found`)
    }
    for (const path of [`commit/${first.tree_hash}`, `commit/${blob}`, `tree/${first.hash}`, `tree/${blob}`])
      expectFailure(await hub.call('GET', `${REPO}/${path}`), 500, 10400, 'A stored git object is corrupt.')
    for (const hash of [first.hash, first.tree_hash])
      expectFailure(await hub.call('GET', `${REPO}/blob/${hash}`), 404, 10200, 'Blob not found')
  })

  it('blob and file give bytes without a type, and not the large ones', async () => {
    const file = await fetchRaw(`${REPO}/file?path=logo.png`)
    expect([file.headers.get('Content-Type'), file.headers.get('Cache-Control')]).toEqual([
      'application/octet-stream',
      'private, no-cache',
    ])
    expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([0x89, 0x50, 0, 1])
    const hash = file.headers.get('ETag')?.replaceAll('"', '') ?? ''
    const blob = await fetchRaw(`${REPO}/blob/${hash}`)
    expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([0x89, 0x50, 0, 1])
    expect(blob.headers.get('Cache-Control')).toBe('private, max-age=31536000, immutable')
    const known = await fetchRaw(`${REPO}/blob/${hash}`, { 'If-None-Match': `"x", W/"${hash}"` })
    expect([known.status, await known.text()]).toEqual([304, ''])
    for (const [route, id] of [
      ['commit', first.hash],
      ['tree', first.tree_hash],
    ] as const) {
      const kept = await fetchRaw(`${REPO}/${route}/${id}`, { 'If-None-Match': `"${id}"` })
      expect([kept.status, await kept.text()]).toEqual([304, ''])
    }
    const old = await fetchRaw(`${REPO}/file?path=/data&ref=${first.hash}`)
    expect([old.status, old.headers.get('Cache-Control')]).toEqual([
      200,
      'private, max-age=31536000, immutable',
    ])

    expectFailure(
      await hub.call('GET', `${REPO}/file`),
      400,
      10100,
      'Invalid input: expected string, received undefined',
      '/path',
    )
    for (const query of [
      'path=none',
      'path=src',
      'path=README.md&ref=none',
      'path=data',
      'path=a/../README.md',
      'path=',
    ])
      expectFailure(await hub.call('GET', `${REPO}/file?${query}`), 404, 10200, 'File not found')
    const message = 'The object is too large to read.'
    expectFailure(await hub.call('GET', `${REPO}/file?path=large`), 413, 10402, message)
    expectFailure(await hub.call('GET', `${REPO}/raw/main/large`), 413, 10402, message)
    const tree = await hub.result<{ name: string; hash: string }[]>('GET', `${REPO}/tree/${first.tree_hash}`)
    const large = tree.find(({ name }) => name === 'large')?.hash ?? ''
    expectFailure(await hub.call('GET', `${REPO}/blob/${large}`), 413, 10402, message)
    const streamed = await fetchRaw(`${REPO}/blob/${large}/stream`)
    expect([streamed.headers.get('Content-Length'), await streamed.text()]).toEqual([
      '6000',
      'x'.repeat(6000),
    ])
  })

  it('raw gives files with a type that no browser runs', async () => {
    const expected: readonly (readonly [string, string])[] = [
      ['README.md', 'text/plain; charset=utf-8'],
      ['page.html', 'text/plain; charset=utf-8'],
      ['logo.png', 'image/png'],
      ['latin', 'application/octet-stream'],
      ['src/a%20b.ts', 'text/plain; charset=utf-8'],
      ['src%2Fa%20b.ts', 'text/plain; charset=utf-8'],
      ['link', 'text/plain; charset=utf-8'],
    ]
    for (const [path, type] of expected) {
      const raw = await fetchRaw(`${REPO}/raw/main/${path}`)
      expect([path, raw.status, raw.headers.get('Content-Type')]).toEqual([path, 200, type])
      expect(raw.headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect(raw.headers.get('Content-Security-Policy')).toBe("default-src 'none'; sandbox")
    }
    const data = await fetchRaw(`${REPO}/raw/${first.hash}/data`)
    expect(data.headers.get('Content-Type')).toBe('application/octet-stream')
    expect(await (await fetchRaw(`${REPO}/raw/topic%2Fone/x`)).text()).toBe('1')
    const bad = [
      'raw/topic/one/x',
      'raw/main',
      'raw/main/',
      'raw/main/none',
      'raw/main/%E0%A4%A',
      'raw/main/src',
    ]
    for (const path of bad)
      expectFailure(await hub.call('GET', `${REPO}/${path}`), 404, 10200, 'File not found')
  })
})

describe('beyond Artifacts', () => {
  it('refs are listed in pages, by prefix', async () => {
    const all = await hub.call('GET', `${REPO}/refs`)
    expect(all.json.result).toEqual([
      { name: 'HEAD', hash: second.hash, target: 'refs/heads/main' },
      { name: 'refs/heads/main', hash: second.hash },
      { name: 'refs/heads/topic/one', hash: expect.any(String) as string },
    ])
    expect(all.json.result_info).toEqual({ cursor: '', per_page: 100, count: 3 })
    const names: string[] = []
    for (let cursor: string | undefined; cursor !== '';) {
      const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page = await hub.call('GET', `${REPO}/refs?limit=1${query}`)
      names.push(...(page.json.result as { name: string }[]).map(({ name }) => name))
      cursor = String(page.json.result_info?.['cursor'])
    }
    expect(names).toEqual(['HEAD', 'refs/heads/main', 'refs/heads/topic/one'])
    const some = await hub.result<unknown[]>('GET', `${REPO}/refs?prefix=refs/heads/topic/`)
    expect(some).toHaveLength(1)
  })

  it('diff compares two commits, or one with its first parent', async () => {
    const diff = await hub.result<{ files: { path: string; status: string }[] }>('GET', `${REPO}/diff`)
    expect(diff).toMatchObject({ from: first.hash, to: second.hash, truncated: false })
    expect(diff.files.map(({ path, status }) => [path, status])).toEqual([
      ['README.md', 'modified'],
      ['data', 'deleted'],
    ])
    const root = await hub.result<{ files: unknown[] }>('GET', `${REPO}/diff?to=${first.hash}&limit=2`)
    expect(root).toMatchObject({ from: null, truncated: true })
    expect(root.files).toHaveLength(2)
    expectFailure(await hub.call('GET', `${REPO}/diff?from=none`), 404, 10200, 'Commit not found')
  })

  it('merge-base finds common ancestors', async () => {
    const found = await hub.result('GET', `${REPO}/merge-base?left=main&right=topic/one`)
    expect(found).toEqual({ bases: [first.hash] })
  })

  it('commits are made by compare-and-swap, or refused with what is wrong', async () => {
    expect(second).toMatchObject({ ref: 'refs/heads/main', before: first.hash })
    const cases: readonly (readonly [Record<string, unknown>, number, string, RegExp])[] = [
      [
        { expected_head: first.hash, changes: [{ path: 'y', content: '' }] },
        409,
        '/expected_head',
        /at [0-9a-f]{40}/,
      ],
      [
        { expected_head: null, changes: [{ path: 'y', content: '' }] },
        409,
        '/expected_head',
        /at [0-9a-f]{40}/,
      ],
      [{ changes: [{ path: 'README.md', content: '# hello again\n' }] }, 409, '/changes', /nothing/],
      [
        { branch: 'main/sub', changes: [{ path: 'y', content: '' }] },
        409,
        '/branch',
        /beside refs\/heads\/main/,
      ],
      [{ changes: [{ path: 'none', delete: true }] }, 404, '/changes', /'none'/],
      [{ changes: [{ path: '../x', content: '' }] }, 400, '/changes', /segment '..'/],
      [{ changes: [{ path: '.git/x', content: '' }] }, 400, '/changes', /\.git/],
      [{ branch: 'a..b', changes: [{ path: 'y', content: '' }] }, 400, '/branch', /ref name/],
      [{ changes: [{ path: 'y', content: '!', encoding: 'base64' }] }, 400, '/changes/0', /base64/],
      [{ changes: [{ path: 'y' }] }, 400, '/changes/0', /give content/],
      [{ changes: [{ path: 'y', content: '', delete: true }] }, 400, '/changes/0', /only one/],
      [{ changes: [], author: { name: '', email: '' } }, 400, '/author/name', /./],
      [{ changes: [], author: { name: 'A', email: 'a>b' } }, 400, '/author/email', /angle bracket/],
      [{ changes: [], committer: { name: 'A\n', email: '' } }, 400, '/committer/name', /newline/],
    ]
    for (const [body, status, pointer, message] of cases) {
      const answer = await commit(body)
      expect([body, answer.status, answer.json.errors]).toMatchObject([
        body,
        status,
        [{ source: { pointer } }],
      ])
      expect(answer.json.errors[0]?.['message']).toMatch(message)
    }
    expect((await hub.result<unknown[]>('GET', `${REPO}/log`)).length).toBe(2)
  })

  it('commits move the time of the last push, and are refused where pushes are', async () => {
    const shown = await hub.result('GET', REPO)
    expect(shown['last_push_at']).toMatch(/^\d{4}-/)
    await hub.result('POST', '/namespaces/team/repos', { name: 'frozen', read_only: true })
    const answer = await hub.call('POST', '/namespaces/team/repos/frozen/commits', {
      message: 'x',
      author,
      changes: [{ path: 'a', content: '' }],
    })
    expectFailure(answer, 403, 10100, 'The repository is read-only.')
  })

  it('large commits are taken', async () => {
    const content = Buffer.from(Array.from({ length: 3 << 20 }, (_, at) => (at * 7919) & 255)).toString(
      'base64',
    )
    const answer = await commit({ branch: 'big', changes: [{ path: 'big', content, encoding: 'base64' }] })
    expect(answer.status).toBe(201)
  })

  it('commits that are larger than the hub allows are refused', async () => {
    for (const limits of [{ objectBytes: 100 }, { repositoryBytes: 200 }]) {
      const small = createTestHub({ limits })
      await small.result('POST', '/namespaces/team/repos', { name: 'docs' })
      const content = Buffer.from(crypto.getRandomValues(new Uint8Array(1000))).toString('base64')
      const changes = [{ path: 'a', content, encoding: 'base64' }]
      const answer = await small.call('POST', `${REPO}/commits`, { message: 'x', author, changes })
      expect([answer.status, answer.json.errors[0]?.['code']]).toEqual([413, 10402])
    }
  })
})
