import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createNodeListener } from '../../../src/hosts/node/index.ts'
import { createCallbackSink, type EventSink } from '../../../src/hub/events/event-sink.ts'
import type { HubEvent } from '../../../src/hub/events/hub-event.ts'
import type { DeliverEventsOptions } from '../../../src/hub/events/deliver-events.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { createFsStorage } from '../../../src/storage/fs/index.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { eventually } from '../../support/eventually.ts'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { ACCOUNT, createTestHub, type CreatedResult, type TestHub } from '../support.ts'

const scratch = useScratch()

/** When marks of processes that died may go. */
const aDayLater = (): number => Date.now() + 86_400_000

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

/** The storage of a process that waits before it commits until it is told to go on, and dies right behind. */
function dyingAtCommit(storage: Storage): {
  readonly storage: Storage
  /** The process is about to commit. */
  readonly waits: Promise<void>
  /** Lets it commit. */
  readonly finish: () => Promise<void>
} {
  const [waits, isWaiting] = createGate()
  const [released, release] = createGate()
  const [finished, finish] = createGate()
  const dying = (repository: RepositoryStorage): RepositoryStorage =>
    new Proxy(repository, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        if (name !== 'commit') return member.bind(target) as unknown
        return async (...given: Parameters<RepositoryStorage['commit']>) => {
          isWaiting()
          await released
          await target.commit(...given)
          finish()
          return new Promise(() => undefined)
        }
      },
    })
  return {
    storage: new Proxy(storage, {
      get(target, name) {
        if (name === 'open') {
          return async (key: string) => {
            const repository = await target.open(key)
            return repository && dying(repository)
          }
        }
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    }),
    waits,
    finish: () => {
      release()
      return finished
    },
  }
}

function createGate(): [Promise<void>, () => void] {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return [opened, open]
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

  it('tell of a ref that is sent again where it is, and not of a push with nothing to send', async () => {
    const storage = createFsStorage({ directory: scratch.fresh('data') })
    const hub = createListeningHub({}, { storage })
    const { token, remote } = await hub.result<CreatedResult>('POST', '/namespaces/team/repos', {
      name: 'same',
    })
    const { hash } = await commitTo(hub, 'same', 'a')
    const again = { message: 'again', author, changes: [{ path: 'a', content: 'a' }] }
    expect((await hub.call('POST', '/namespaces/team/repos/same/commits', again)).status).toBe(409)
    const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1')
    const pack = Buffer.concat([header, createHash('sha1').update(header).digest()])
    const line = `${hash} ${hash} refs/heads/main\0report-status`
    const length = (line.length + 4).toString(16).padStart(4, '0')
    const answer = await hub.hub.fetch(
      new Request(`${remote}/git-receive-pack`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/x-git-receive-pack-request',
        },
        body: Buffer.concat([Buffer.from(`${length}${line}0000`), pack]),
      }),
    )
    expect(await answer.text()).toContain('ok refs/heads/main')
    await waitForNames(hub.seen, ['created', 'token.created', 'pushed', 'pushed'])
    expect(hub.seen[3]?.payload).toMatchObject({
      before: hash,
      after: hash,
      commits: [],
      totalCommitsCount: 0,
    })
    expect(hub.failures).toEqual([])
    await hub.hub.close()
    await storage.close()
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
      expect([await hub.registry.listOutboxes(10), await hub.registry.listPending(10)]).toEqual([[], []])
    })
  })

  it('go on to one sink, event after event, while another refuses or hangs with the first', async () => {
    const refused: string[] = []
    const hung: HubEvent[] = []
    const late: { release: () => void } = { release: () => undefined }
    const seen: HubEvent[] = []
    let isOpen = false
    const sinks = [
      createCallbackSink('refusing', (event) => {
        if (!isOpen) throw new Error('not now')
        refused.push(event.id)
      }),
      createCallbackSink('hanging', async (event) => {
        hung.push(event)
        if (hung.length === 1) await new Promise<void>((resolve) => (late.release = resolve))
      }),
      createCallbackSink('easy', (event) => {
        seen.push(event)
      }),
    ]
    const hub = createTestHub({ events: { sinks, retry: { firstWait: 20, longestWait: 50, attempts: 1e6 } } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    for (let at = 0; at < 3; at++) {
      await commitTo(hub, 'one', `file ${at}`)
      // Each is there before the next thing happens, whatever the others do.
      await eventually(() => {
        expect(seen).toHaveLength(3 + at)
      })
    }
    expect([refused.length, hung.length]).toEqual([0, 1])
    await hub.result('DELETE', '/namespaces/team/repos/one')
    await eventually(() => {
      expect(seen).toHaveLength(6)
    })
    isOpen = true
    late.release()
    const ids = seen.map(({ id }) => id)
    await eventually(() => {
      expect([refused, hung.map(({ id }) => id)]).toEqual([ids, ids])
    })
    await eventually(async () => {
      expect([await hub.registry.listOutboxes(10), await hub.registry.listPending(10)]).toEqual([[], []])
    })
    expect(new Set(hung.map(({ metadata }) => metadata.eventSubscriptionId))).toEqual(new Set(['hanging']))
    expect(hub.failures).toEqual([])
  })

  it('that another process put aside come before those that it never saw', async () => {
    let isOpen = false
    const taken: string[] = []
    const sink = (): EventSink =>
      createCallbackSink('shared', (event) => {
        if (!isOpen) throw new Error('not now')
        taken.push(event.type.replace('cf.artifacts.repo.', ''))
      })
    const retry = { firstWait: 3_600_000, longestWait: 3_600_000 }
    const first = createTestHub({ events: { sinks: [sink()], retry } })
    const { storage, registry } = first
    const { id } = await first.result<{ id: string }>('POST', '/namespaces/team/repos', { name: 'one' })
    // Nothing of it is left but what is put aside.
    await eventually(async () => {
      expect((await registry.listOutboxes(9)).map((name) => name.startsWith('sink-'))).toEqual([true])
      expect(await registry.readEvents(id, 9)).toEqual([])
    })
    isOpen = true
    const second = createTestHub({ storage, registry, events: { sinks: [sink()], retry } })
    await commitTo(second, 'one', 'a')
    await eventually(() => {
      expect(taken).toEqual(['created', 'token.created', 'pushed'])
    })
    await first.hub.close()
    await second.hub.close()
  })

  it('that wait for a sink which is not there are reported once, and come when it is there again', async () => {
    const refusing = createCallbackSink('a/B', () => Promise.reject(new Error('not now')))
    const first = createTestHub({ events: { sinks: [refusing] } })
    const { storage, registry } = first
    await first.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(async () => {
      expect((await registry.listOutboxes(9)).map((name) => name.startsWith('sink-'))).toEqual([true])
    })
    await first.hub.close()
    const without = createListeningHub({}, { storage, registry })
    await without.hub.resume()
    await eventually(() => {
      expect(without.failures.map(String)).toEqual([expect.stringContaining('does not have')])
    })
    await without.hub.resume()
    await without.hub.close()
    expect([without.seen.length, without.failures.length]).toEqual([0, 1])
    const seen: string[] = []
    const again = createCallbackSink('a/B', (event) => {
      seen.push(event.type)
    })
    const last = createTestHub({ storage, registry, events: { sinks: [again] } })
    await last.hub.resume()
    await eventually(() => {
      expect(seen).toEqual(['cf.artifacts.repo.created', 'cf.artifacts.repo.token.created'])
    })
    await last.hub.close()
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
      const refusing = createCallbackSink('test', () => Promise.reject(new Error('not now')))
      const stores = kind === 'sqlite' ? await openSqliteStores() : {}
      const first = createTestHub({ events: { sinks: [refusing] }, ...stores })
      await first.result('POST', '/namespaces/team/repos', { name: 'one' })
      const commit = await commitTo(first, 'one', 'a')
      await first.hub.close()
      const { storage, registry } = first
      const next = createListeningHub({}, { storage, registry, clock: aDayLater })
      await next.hub.resume()
      await waitForNames(next.seen, ['created', 'token.created', 'pushed'])
      expect(next.seen[2]?.payload).toMatchObject({ after: commit.hash, totalCommitsCount: 1 })
      await eventually(async () => {
        expect([await registry.listOutboxes(10), await registry.listPending(10)]).toEqual([[], []])
      })
      await next.hub.close()
      const last = createListeningHub({}, { storage, registry })
      await last.hub.resume()
      await last.hub.close()
      expect(last.seen).toEqual([])
    },
  )

  it('of a push that another process looked and pushed beside survive the end of its process', async () => {
    const other = createListeningHub()
    const { storage, registry } = other
    await other.result('POST', '/namespaces/team/repos', { name: 'one' })
    await waitForNames(other.seen, ['created', 'token.created'])
    const dying = dyingAtCommit(storage)
    const sink = createCallbackSink('test', () => undefined)
    const first = createTestHub({ storage: dying.storage, registry, events: { sinks: [sink] } })
    void commitTo(first, 'one', 'a')
    await dying.waits
    await other.hub.resume()
    await commitTo(other, 'one', 'b', { branch: 'other' })
    await waitForNames(other.seen, ['created', 'token.created', 'pushed'])
    await other.hub.close()
    await dying.finish()

    const next = createListeningHub({}, { storage, registry })
    await next.hub.resume()
    await waitForNames(next.seen, ['pushed'])
    expect(next.seen[0]?.payload).toMatchObject({ ref: 'refs/heads/main' })
    await next.hub.close()
    const marked = (await registry.listPending(9)).map(({ marks }) => marks.length)
    expect(marked, 'the mark of the dead process stays for a day').toEqual([1])
    const later = createListeningHub({}, { storage, registry, clock: aDayLater })
    await later.hub.resume()
    await eventually(async () => {
      expect(await registry.listPending(9)).toEqual([])
    })
    await later.hub.close()
    expect(later.seen).toEqual([])
  })

  it('are not stored where nobody listens', async () => {
    const hub = createTestHub()
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await commitTo(hub, 'one', 'a')
    expect([await hub.registry.listOutboxes(10), await hub.registry.listPending(10)]).toEqual([[], []])
  })
})
