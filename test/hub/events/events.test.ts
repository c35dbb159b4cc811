import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createNodeListener } from '../../../src/hosts/node/index.ts'
import { createCallbackSink, createQueueSink } from '../../../src/hub/events/event-sink.ts'
import type { HubEvent } from '../../../src/hub/events/hub-event.ts'
import { createWebhookSink, isWebhookSigned } from '../../../src/hub/events/webhook-sink.ts'
import type { DeliverEventsOptions } from '../../../src/hub/events/deliver-events.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { eventually } from '../../support/eventually.ts'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { ACCOUNT, createTestHub, type TestHub } from '../support.ts'

const scratch = useScratch()

const author = { name: 'A U Thor', email: 'author@example.com', timestamp: 1_600_000_000 }

function createListeningHub(
  options: Partial<DeliverEventsOptions> = {},
  more = {},
): TestHub & { readonly seen: HubEvent[] } {
  const seen: HubEvent[] = []
  const sink = createCallbackSink('test', (event) => {
    seen.push(event)
  })
  const hub = createTestHub({ events: { sinks: [sink], ...options }, ...more })
  return { ...hub, seen }
}

function names(events: readonly HubEvent[]): string[] {
  return events.map(({ type }) => type.replace('cf.artifacts.repo.', ''))
}

function commitTo(hub: TestHub, repo: string, path: string, more: Record<string, unknown> = {}) {
  return hub.result<{ hash: string }>('POST', `/namespaces/team/repos/${repo}/commits`, {
    message: `write ${path}`,
    author,
    changes: [{ path, content: path }],
    ...more,
  })
}

async function openSqliteStores() {
  const database = await openNodeDatabase({ path: scratch.fresh('hub.db') })
  return { storage: createSqliteStorage({ database }), registry: createSqliteRegistry({ database }) }
}

async function waitForNames(seen: readonly HubEvent[], expected: readonly string[]): Promise<void> {
  await eventually(() => {
    expect(names(seen)).toEqual(expected)
  })
}

describe('events', () => {
  it('tell of what happens to a repository, in order, with the documented fields', async () => {
    const hub = createListeningHub()
    const created = await hub.result<{ id: string }>('POST', '/namespaces/team/repos', { name: 'One' })
    const token = await hub.result<{ id: string; expires_at: string }>('POST', '/namespaces/team/tokens', {
      repo: 'one',
      scope: 'read',
    })
    await hub.result('DELETE', `/namespaces/team/tokens/${token.id}`)
    const commit = await commitTo(hub, 'one', 'a')
    await hub.result('DELETE', '/namespaces/team/repos/one')
    await waitForNames(hub.seen, [
      'created',
      'token.created',
      'token.created',
      'token.revoked',
      'pushed',
      'deleted',
    ])
    const [first, , minted, revoked, pushed, deleted] = hub.seen
    expect(Object.keys(first ?? {})).toEqual(['id', 'type', 'source', 'metadata', 'payload'])
    expect(first).toMatchObject({
      source: { namespace: 'team', repoName: 'One', type: 'artifacts' },
      metadata: { accountId: ACCOUNT, eventSubscriptionId: 'test', eventSchemaVersion: 1 },
    })
    const facts = [
      'repoId',
      'defaultBranch',
      'description',
      'readOnly',
      'createdAt',
      'updatedAt',
      'lastPushAt',
    ]
    expect([Object.keys(first?.payload ?? {}), Object.keys(deleted?.payload ?? {})]).toEqual([facts, facts])
    expect(first?.payload).toMatchObject({ repoId: created.id, lastPushAt: null, defaultBranch: 'main' })
    expect(deleted?.payload).toMatchObject({ repoId: created.id })
    expect(minted?.source.type).toBe('artifacts.repo')
    expect(minted?.payload).toEqual({ tokenId: token.id, scope: 'read', expiresAt: token.expires_at })
    expect(revoked?.payload).toEqual({ tokenId: token.id })
    expect(pushed?.payload).toEqual({
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: commit.hash,
      commits: [
        {
          id: commit.hash,
          message: 'write a\n',
          messageTruncated: false,
          timestamp: '2020-09-13T12:26:40.000Z',
          author: { name: author.name, email: author.email },
          committer: { name: author.name, email: author.email },
          parents: [],
        },
      ],
      totalCommitsCount: 1,
      commitsTruncated: false,
    })
    expect(new Set(hub.seen.map(({ id }) => id)).size).toBe(hub.seen.length)
    expect(hub.failures).toEqual([])
  })

  it('of a push by git name every ref, and list commits as documented', async () => {
    const hub = createListeningHub()
    const { token, remote } = await hub.result<{ token: string; remote: string }>(
      'POST',
      '/namespaces/team/repos',
      { name: 'pushed' },
    )
    const server = createServer(createNodeListener((request) => hub.hub.fetch(request)))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(remote).pathname}`
    const work = scratch.fresh('work')
    await git(['init', '-q', work])
    const push = (...refs: string[]): Promise<string> =>
      git(['-c', `http.extraHeader=Authorization: Bearer ${token}`, 'push', '-q', url, ...refs], {
        cwd: work,
      })
    const ids: string[] = []
    for (let at = 0; at < 25; at++) {
      const message = at === 24 ? 'x'.repeat(5000) : `c${at}`
      await git(['commit', '-q', '--allow-empty', '-m', message], { cwd: work })
      ids.unshift(await git(['rev-parse', 'HEAD'], { cwd: work }))
    }
    await git(['tag', '-a', '-m', 'one', 'v1'], { cwd: work })
    await push('main~3:refs/heads/main')
    await push('main', 'v1', 'main:refs/notes/x')
    await push(':refs/notes/x')
    const fetchFrom = (...args: string[]): Promise<string> =>
      git(['-c', `http.extraHeader=Authorization: Bearer ${token}`, ...args], { cwd: work })
    const copy = scratch.fresh('copy')
    await fetchFrom('clone', '-q', url, copy)
    await fetchFrom('-C', copy, 'fetch', '-q')
    await git(['commit', '-q', '--allow-empty', '-m', 'one more'], { cwd: work })
    await push('main')
    await fetchFrom('-C', copy, 'fetch', '-q')
    server.closeAllConnections()
    server.close()
    const pushed = (): HubEvent[] => hub.seen.filter(({ type }) => type.endsWith('.pushed'))
    await eventually(() => {
      expect(pushed()).toHaveLength(6)
    })
    await eventually(() => {
      expect(names(hub.seen).filter((name) => /cloned|fetched/.test(name))).toEqual(['cloned', 'fetched'])
    })
    const payloads = pushed().map(({ payload }) => payload)
    const [first, ...rest] = payloads
    expect(first).toMatchObject({
      before: '0'.repeat(40),
      after: ids[3],
      totalCommitsCount: 21,
      commitsTruncated: true,
    })
    expect((first?.['commits'] as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(3, 23))
    const byRef = new Map(rest.slice(0, 3).map((payload) => [payload['ref'], payload]))
    const main = byRef.get('refs/heads/main')
    expect(main).toMatchObject({
      before: ids[3],
      after: ids[0],
      totalCommitsCount: 3,
      commitsTruncated: false,
    })
    const commits = main?.['commits'] as { id: string; message: string; messageTruncated: boolean }[]
    expect(commits.map(({ id }) => id)).toEqual(ids.slice(0, 3))
    expect([commits[0]?.message.length, commits[0]?.messageTruncated]).toEqual([4096, true])
    const tag = await git(['rev-parse', 'v1'], { cwd: work })
    expect(byRef.get('refs/tags/v1')).toMatchObject({ after: tag, commits: [], totalCommitsCount: 0 })
    expect(byRef.get('refs/notes/x')).toMatchObject({ after: ids[0], commits: [] })
    expect(rest[3]).toMatchObject({ ref: 'refs/notes/x', before: ids[0], after: '0'.repeat(40), commits: [] })
    expect(hub.failures).toEqual([])
  })

  it('may count only what a push brings, all of it', async () => {
    const hub = createListeningHub({ pushedCommits: 'new' })
    await hub.result('POST', '/namespaces/team/repos', { name: 'counted' })
    const first = await commitTo(hub, 'counted', 'a')
    for (let at = 0; at < 2; at++)
      await commitTo(hub, 'counted', `b${at}`, { branch: 'topic', start_point: first.hash })
    const commits = (): unknown[] =>
      hub.seen
        .filter(({ type }) => type.endsWith('pushed'))
        .map(({ payload }) => payload['totalCommitsCount'])
    await eventually(() => {
      expect(commits()).toEqual([1, 2, 1])
    })
  })

  it('come again until they are taken, in order, while those of other repositories and sinks go on', async () => {
    const taken: string[] = []
    let refusals = 3
    const stubborn = createCallbackSink('stubborn', (event) => {
      const isEarly = refusals > 0 || !taken.includes('two created')
      if (event.source.repoName === 'one' && isEarly) {
        refusals--
        throw new Error('not now')
      }
      taken.push(`${event.source.repoName} ${event.type.replace('cf.artifacts.repo.', '')}`)
    })
    const seen: HubEvent[] = []
    const easy = createCallbackSink('easy', (event) => {
      seen.push(event)
    })
    const hub = createTestHub({ events: { sinks: [stubborn, easy], retry: { firstWait: 40 } } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await hub.result('POST', '/namespaces/team/repos', { name: 'two' })
    await commitTo(hub, 'one', 'a')
    await eventually(() => {
      expect(taken.filter((text) => text.startsWith('one'))).toEqual([
        'one created',
        'one token.created',
        'one pushed',
      ])
    })
    expect(taken[0]).toBe('two created')
    await eventually(() => {
      expect(seen).toHaveLength(5)
    })
    await eventually(async () => {
      expect([await hub.registry.readEvents(10), await hub.registry.listPending(10)]).toEqual([[], []])
    })
  })

  it('that a sink never takes are given up and reported, and the next one comes', async () => {
    const seen: string[] = []
    const sink = createCallbackSink('picky', (event) => {
      if (event.type.endsWith('.created') && !event.type.includes('token')) throw new Error('never')
      seen.push(event.type)
    })
    const hub = createTestHub({ events: { sinks: [sink], retry: { attempts: 2, firstWait: 1 } } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(() => {
      expect(seen).toEqual(['cf.artifacts.repo.token.created'])
    })
    expect(hub.failures.map(String)).toEqual([expect.stringContaining("'picky' refused it 2 times")])
  })

  it.each(['memory', 'sqlite'])(
    'survive a process that ends before they were delivered, in %s',
    async (kind) => {
      const refusing = createCallbackSink('refusing', () => Promise.reject(new Error('not now')))
      const stores = kind === 'sqlite' ? await openSqliteStores() : {}
      const first = createTestHub({ events: { sinks: [refusing] }, ...stores })
      await first.result('POST', '/namespaces/team/repos', { name: 'one' })
      const commit = await commitTo(first, 'one', 'a')
      await first.hub.close()
      const { storage, registry } = first
      const next = createListeningHub({}, { storage, registry })
      await next.hub.resume()
      await waitForNames(next.seen, ['created', 'token.created', 'pushed'])
      expect(next.seen[2]?.payload).toMatchObject({ after: commit.hash, totalCommitsCount: 1 })
      await eventually(async () => {
        expect([await registry.readEvents(10), await registry.listPending(10)]).toEqual([[], []])
      })
      await next.hub.close()
      const last = createListeningHub({}, { storage, registry })
      await last.hub.resume()
      await last.hub.close()
      expect(last.seen).toEqual([])
    },
  )

  it('are not stored where nobody listens', async () => {
    const hub = createTestHub()
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await commitTo(hub, 'one', 'a')
    expect([await hub.registry.readEvents(10), await hub.registry.listPending(10)]).toEqual([[], []])
  })
})

describe('sinks', () => {
  it('post webhooks whose signature a receiver can check', async () => {
    const requests: { headers: Headers; body: string }[] = []
    const sink = createWebhookSink({
      name: 'hook',
      url: 'https://example.com/hook',
      secret: 's3cret',
      fetch: (url, init) => {
        expect([url, init.redirect, init.method]).toEqual(['https://example.com/hook', 'manual', 'POST'])
        requests.push({ headers: new Headers(init.headers), body: init.body as string })
        return Promise.resolve(new Response(null, { status: requests.length === 1 ? 500 : 204 }))
      },
    })
    const hub = createTestHub({ events: { sinks: [sink], retry: { firstWait: 1 } } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(() => {
      expect(requests).toHaveLength(3)
    })
    const [refused, again] = requests
    expect(again?.headers.get('X-Packstone-Delivery')).toBe(refused?.headers.get('X-Packstone-Delivery'))
    for (const request of requests) {
      const event = JSON.parse(request.body) as HubEvent
      expect(request.headers.get('X-Packstone-Event')).toBe(event.type)
      expect(await isWebhookSigned('s3cret', request)).toBe(true)
      expect(await isWebhookSigned('other', request)).toBe(false)
      expect(await isWebhookSigned('s3cret', { ...request, body: `${request.body} ` })).toBe(false)
      expect(await isWebhookSigned('s3cret', request, { now: Date.now() + 3_600_000 })).toBe(false)
    }
  })

  it('send to queues what Cloudflare’s subscriptions send', async () => {
    const messages: Record<string, unknown>[] = []
    const queue = {
      send: (message: unknown) => {
        messages.push(message as Record<string, unknown>)
        return Promise.resolve()
      },
    }
    const hub = createTestHub({ events: { sinks: [createQueueSink('my-queue', queue)] } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(() => {
      expect(messages).toHaveLength(2)
    })
    expect(Object.keys(messages[0] ?? {})).toEqual(['type', 'source', 'metadata', 'payload', 'id'])
    expect(Object.keys(messages[0]?.['source'] as object)).toEqual(['namespace', 'repoName', 'type'])
    expect(messages[0]?.['metadata']).toMatchObject({
      eventSubscriptionId: 'my-queue',
      eventSchemaVersion: 1,
    })
  })

  it('with wrong options are refused at once', () => {
    const make = (url: string, secret: string) => () => createWebhookSink({ name: 'x', url, secret })
    expect(make('nonsense', 's')).toThrow('malformed')
    expect(make('https://example.com', '')).toThrow('empty')
  })
})
