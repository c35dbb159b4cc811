import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { sampleToken } from '../../src/hub/registry/conformance/samples.ts'
import { createMemoryRegistry } from '../../src/hub/registry/memory/memory-registry.ts'
import type { RepositoryRecord } from '../../src/hub/registry/records.ts'
import type { Registry } from '../../src/hub/registry/registry.ts'
import { repositoryKey } from '../../src/hub/repositories/repository-id.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { eventually } from '../support/eventually.ts'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { packstoneCommand } from '../support/servers/packstone.ts'
import { createTestHub, withToken, type CreatedResult } from './support.ts'

const scratch = useScratch()
const NOW = 1_790_000_000_000
const REPOS = '/namespaces/team/repos'

/** Leaves a repository as a process leaves it that dies while it makes it. */
async function leave(registry: Registry, name: string, change: Partial<RepositoryRecord>): Promise<string> {
  const id = name.padStart(16, '0')
  const record: RepositoryRecord = {
    id,
    namespace: 'team',
    name,
    description: null,
    defaultBranch: 'main',
    readOnly: false,
    source: null,
    status: 'creating',
    createdAt: NOW,
    updatedAt: NOW,
    lastPushAt: null,
    leaseUntil: NOW + 60_000,
    work: null,
    ...change,
  }
  await registry.createRepository({ record, token: sampleToken(`t${name}`, id) })
  return id
}

describe('what a process that died was making', () => {
  it('is refused with the documented codes while nobody else may touch it', async () => {
    const { registry, call, hub, storage } = createTestHub({ clock: () => NOW })
    await leave(registry, 'a', { status: 'creating' })
    await leave(registry, 'b', { status: 'importing' })
    await leave(registry, 'c', { status: 'forking' })
    for (const [name, code, message] of [
      ['a', 10301, 'Repository is still being created'],
      ['b', 10302, 'Repository is still being imported'],
      ['c', 10303, 'Repository is still being forked'],
    ] as const) {
      for (const [method, path, body] of [
        ['GET', `${REPOS}/${name}`, undefined],
        ['GET', `${REPOS}/${name}/tokens`, undefined],
        ['GET', `${REPOS}/${name}/log`, undefined],
        ['POST', `${REPOS}/${name}/fork`, { name: 'x' }],
        ['POST', '/namespaces/team/tokens', { repo: name }],
      ] as const) {
        const { status, json } = await call(method, path, body)
        expect([path, status, json.errors[0]]).toMatchObject([path, 409, { code, message }])
      }
      expect((await call('POST', REPOS, { name })).status).toBe(409)
    }
    const listed = await call('GET', `${REPOS}?sort=name&direction=asc`)
    expect((listed.json.result as { status: string }[]).map(({ status }) => status)).toEqual([
      'creating',
      'importing',
      'forking',
    ])
    await hub.resume()
    expect((await call('GET', `${REPOS}/a`)).status).toBe(409)
    expect((await storage.list()).keys).toEqual([])
  })

  it('is finished or given up by another, once its lease is over, by exactly one of several', async () => {
    let now = NOW
    const first = createTestHub({ clock: () => now })
    const { registry, storage, call } = first
    const second = createTestHub({ clock: () => now, registry, storage })
    const id = await leave(registry, 'a', { status: 'creating', defaultBranch: 'trunk' })
    await leave(registry, 'c', { status: 'forking' })
    now += 60_000
    await Promise.all([first.hub.resume(), second.hub.resume()])
    expect((await call('GET', `${REPOS}/a`)).json.result).toMatchObject({ id, default_branch: 'trunk' })
    expect((await call('GET', `${REPOS}/a/log`)).json.result).toEqual([])
    expect((await call('GET', `${REPOS}/c`)).status).toBe(404)
    expect((await call('DELETE', `${REPOS}/c`)).status).toBe(404)
    expect((await call('POST', REPOS, { name: 'c' })).status).toBe(201)
    expect((await storage.list()).keys.length).toBe(2)
    expect([...first.failures, ...second.failures]).toEqual([])
  })

  it('can be deleted meanwhile, and its maker then leaves nothing behind', async () => {
    const storage = createMemoryStorage()
    let created: () => void = () => undefined
    const waiting = new Promise<void>((resolve) => {
      created = resolve
    })
    const slow = {
      ...storage,
      create: async (...given: Parameters<typeof storage.create>) => {
        await waiting
        return storage.create(...given)
      },
    }
    const { call, hub } = createTestHub({ storage: slow })
    const creation = call('POST', REPOS, { name: 'a' })
    while ((await call('GET', `${REPOS}/a`)).status !== 409) await Promise.resolve()
    expect((await call('DELETE', `${REPOS}/a`)).status).toBe(202)
    await hub.resume()
    created()
    expect((await creation).status).toBe(404)
    await hub.close()
    expect((await storage.list()).keys).toEqual([])
    expect((await call('POST', REPOS, { name: 'a' })).status).toBe(201)
  })
})

describe('the data of a deleted repository', () => {
  it('is removed later where it could not be at once, and does not keep others', async () => {
    const storage = createMemoryStorage()
    const stuck = new Set<string>()
    const fragile = {
      ...storage,
      delete: (key: string) =>
        stuck.has(key) ? Promise.reject(new Error('the disk is away')) : storage.delete(key),
    }
    const registry = createMemoryRegistry()
    const { hub, result, failures } = createTestHub({ storage: fragile, registry })
    for (let at = 0; at < 120; at++) {
      const { id } = await result<CreatedResult>('POST', REPOS, { name: `r${at}` })
      if (at % 40 === 0) stuck.add(repositoryKey(id))
    }
    for (let at = 0; at < 120; at++) await result('DELETE', `${REPOS}/r${at}`)
    await hub.close()
    expect((await storage.list()).keys).toEqual([...stuck].sort())
    expect(failures.length).toBeGreaterThanOrEqual(3)
    stuck.clear()
    await createTestHub({ storage: fragile, registry }).hub.resume()
    expect((await storage.list()).keys).toEqual([])
    expect(await registry.listCleanups(10)).toEqual([])
  })
})

describe('packstone serve, killed at any instant', () => {
  const children: ChildProcess[] = []

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  async function start(data: string, storage: string): Promise<{ url: string; kill: () => Promise<void> }> {
    const args = [
      'serve',
      '--port',
      '0',
      '--data',
      data,
      '--storage',
      storage,
      '--api-token',
      'secret',
      '--quiet',
    ]
    const child = spawn(process.execPath, [packstoneCommand(), ...args], {
      env: { PATH: '/nowhere' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^listening on (\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      const kill = async (): Promise<void> => {
        const closed = new Promise((resolve) => child.once('close', resolve))
        child.kill('SIGKILL')
        await closed
      }
      return { url, kill }
    }
    throw new Error('packstone serve ended before it listened')
  }

  it.each(['fs', 'sqlite'])(
    'keeps in %s what it said was created, and can be used afterwards',
    async (kind) => {
      const data = scratch.fresh('data')
      const created: CreatedResult[] = []
      for (let round = 0; round < 3; round++) {
        const server = await start(data, kind)
        const repos = `${server.url}/client/v4/accounts/local/artifacts${REPOS}`
        const headers = { Authorization: 'Bearer secret' }
        const work = async (worker: number): Promise<void> => {
          for (let at = 0; ; at++) {
            const body = JSON.stringify({ name: `r${round}-${worker}-${at}` })
            const answer = await fetch(repos, { method: 'POST', headers, body })
            if (answer.status !== 201) throw new Error(await answer.text())
            created.push(((await answer.json()) as { result: CreatedResult }).result)
          }
        }
        const workers = Promise.allSettled([work(0), work(1), work(2)])
        const before = created.length
        await eventually(() => {
          expect(created.length).toBeGreaterThan(before + 3 * round)
        })
        await server.kill()
        for (const outcome of await workers) {
          // Each worker ended because nobody answered any more, or not to the end.
          expect(String(outcome.status === 'rejected' ? outcome.reason : '')).toMatch(
            /fetch failed|terminated/,
          )
        }
      }
      const server = await start(data, kind)
      for (const { name, id, token } of created) {
        const shown = await fetch(`${server.url}/client/v4/accounts/local/artifacts${REPOS}/${name}`, {
          headers: { Authorization: 'Bearer secret' },
        })
        expect(await shown.json()).toMatchObject({ success: true, result: { id } })
        const refs = await fetch(`${server.url}/git/team/${name}.git/info/refs?service=git-upload-pack`, {
          headers: { Authorization: `Bearer ${token}` },
        })
        expect([name, refs.status]).toEqual([name, 200])
        await refs.arrayBuffer()
      }
      const last = created.at(-1)
      expect(
        await git([
          'ls-remote',
          withToken(`${server.url}/git/team/${last?.name ?? ''}.git`, last?.token.replace(/\?.*/, '') ?? ''),
        ]),
      ).toBe('')
    },
  )
})
