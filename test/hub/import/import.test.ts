import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createPublicFetch, type PublicFetch } from '../../../src/hosts/node/public-fetch.ts'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNodeListener } from '../../../src/hosts/node/index.ts'
import { FastImport } from '../../support/fast-import.ts'
import { eventually } from '../../support/eventually.ts'
import { git, gitLines } from '../../support/git.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { findFaults, readRefLines } from '../../support/repositories.ts'
import { startHttpsRemote, type HttpsRemote } from '../../support/servers/https-remote.ts'
import { createTestHub, type RestAnswer, type TestHub } from '../support.ts'

const scratch = useScratch()
let remote: HttpsRemote
let connection: PublicFetch
let directory: string

beforeAll(async () => {
  directory = scratch.fresh('remotes')
  await mkdir(directory)
  remote = await startHttpsRemote(directory)
  connection = createPublicFetch({ allowLoopback: true, ca: remote.ca })
})

afterAll(async () => {
  connection.close()
  await remote.close()
})

afterEach(() => {
  remote.interfere = undefined
  remote.cutAfter = undefined
})

function hubThatImports(): TestHub {
  return createTestHub({ imports: { fetch: connection.fetch } })
}

function importTo(hub: TestHub, name: string, body: Record<string, unknown>): Promise<RestAnswer> {
  return hub.call('POST', `/namespaces/team/repos/${name}/import`, body)
}

interface Created {
  readonly token: string
  readonly remote: string
}

function createdBy(answer: RestAnswer): Created {
  return answer.json.result as Created
}

/** Clones an imported repository from the hub with git, as a mirror; resolves with the path. */
async function cloneFromHub(hub: TestHub, created: Created): Promise<string> {
  const { token, remote: url } = created
  const server = createServer(createNodeListener((request) => hub.hub.fetch(request)))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    const { port } = server.address() as AddressInfo
    const path = scratch.fresh('clone.git')
    const header = `http.extraHeader=Authorization: Bearer ${token}`
    const local = `http://127.0.0.1:${port}${new URL(url).pathname}`
    await git(['-c', header, 'clone', '-q', '--mirror', local, path])
    return path
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function makeRemote(name: string, branches: readonly string[], head?: string): Promise<string> {
  const path = join(directory, name)
  await git(['init', '-q', '--bare', path])
  const stream = new FastImport()
  for (const branch of branches) {
    const ref = `refs/heads/${branch}`
    for (let at = 0; at < 4; at++) {
      stream.commit({
        ref,
        changes: [{ kind: 'write', path: `${branch}-${at}`, content: `${at}\n`.repeat(at) }],
      })
    }
  }
  if (branches.length > 0) stream.tag('v1', 1, 'first\n')
  await stream.run(path)
  if (head !== undefined) await git(['symbolic-ref', 'HEAD', `refs/heads/${head}`], { cwd: path })
  return path
}

async function expectNothingLeft(hub: TestHub, name: string): Promise<void> {
  await hub.hub.resume()
  expect((await hub.call('GET', `/namespaces/team/repos/${name}`)).status).toBe(404)
  expect((await hub.storage.list()).keys).toEqual([])
  expect((await hub.registry.listStale(Number.MAX_SAFE_INTEGER, 10)).length).toBe(0)
}

describe('an import', () => {
  it('brings all branches and tags, whole, and the default branch that the remote has', async () => {
    const path = await makeRemote('trunk.git', ['trunk', 'topic/one'], 'trunk')
    const hub = hubThatImports()
    const created = await importTo(hub, 'copy', { url: `${remote.url}/trunk.git` })
    expect([created.status, Object.keys(created.json.result as object)]).toEqual([
      201,
      ['id', 'name', 'description', 'default_branch', 'remote', 'token'],
    ])
    expect(created.json.result).toMatchObject({ default_branch: 'trunk' })
    const clone = await cloneFromHub(hub, createdBy(created))
    expect(await readRefLines(clone)).toEqual(await readRefLines(path))
    expect(await git(['symbolic-ref', 'HEAD'], { cwd: clone })).toBe('refs/heads/trunk')
    expect(await findFaults(clone)).toEqual([])
    const shown = await hub.result('GET', '/namespaces/team/repos/copy')
    expect(shown).toMatchObject({ source: `git:${remote.url}/trunk.git`, default_branch: 'trunk' })
    expect(hub.failures).toEqual([])
  })

  it('takes only a branch that is named, and makes it the default', async () => {
    await makeRemote('some.git', ['main', 'topic'])
    const hub = hubThatImports()
    const created = await importTo(hub, 'copy', { url: `${remote.url}/some`, branch: 'topic' })
    expect(created.json.result).toMatchObject({ default_branch: 'topic' })
    const clone = await cloneFromHub(hub, createdBy(created))
    expect((await readRefLines(clone)).map((line) => line.split(' ')[0])).toEqual(['refs/heads/topic'])
    const log = await hub.result<unknown[]>('GET', '/namespaces/team/repos/copy/log')
    expect(log).toHaveLength(4)
    expect(await hub.result('GET', '/namespaces/team/repos/copy')).toMatchObject({
      source: `git:${remote.url}/some.git`,
    })
  })

  it('ends history at a depth, of the branch that HEAD names', async () => {
    await makeRemote('deep.git', ['main', 'other'])
    const hub = hubThatImports()
    const created = await importTo(hub, 'copy', { url: `${remote.url}/deep.git`, depth: 2 })
    expect(created.status).toBe(201)
    expect(await hub.result<unknown[]>('GET', '/namespaces/team/repos/copy/log')).toHaveLength(2)
    const clone = await cloneFromHub(hub, createdBy(created))
    expect(await gitLines(['rev-list', '--all'], { cwd: clone })).toHaveLength(2)
    expect((await readRefLines(clone)).map((line) => line.split(' ')[0])).toEqual(['refs/heads/main'])
  })

  it('takes an empty repository, with the branch that its HEAD will be', async () => {
    await makeRemote('empty.git', [], 'someday')
    const hub = hubThatImports()
    const created = await importTo(hub, 'copy', { url: `${remote.url}/empty.git` })
    expect([created.status, created.json.result]).toMatchObject([201, { default_branch: 'someday' }])
    expect(await hub.result('GET', '/namespaces/team/repos/copy/log')).toEqual([])
  })

  it('takes histories that git’s strict rules refuse', async () => {
    await createHistory('odd-objects', join(directory, 'odd.git'))
    const hub = hubThatImports()
    const created = await importTo(hub, 'copy', { url: `${remote.url}/odd.git` })
    expect([created.status, created.json.errors]).toEqual([201, []])
  })

  it('that breaks midway leaves nothing, and the name can be used again', async () => {
    await createHistory('binary', join(directory, 'large.git'))
    const hub = hubThatImports()
    for (const cutAfter of [0, 100, 5000]) {
      remote.cutAfter = cutAfter
      const broken = await importTo(hub, 'copy', { url: `${remote.url}/large.git` })
      expect([broken.status, broken.json.errors[0]?.['code']]).toEqual([502, 10401])
      await expectNothingLeft(hub, 'copy')
    }
    remote.cutAfter = undefined
    expect((await importTo(hub, 'copy', { url: `${remote.url}/large.git` })).status).toBe(201)
    expect((await importTo(hub, 'COPY', { url: `${remote.url}/large.git` })).json.errors[0]).toMatchObject({
      code: 10201,
    })
  })

  it('that is larger than the hub allows is refused, and leaves nothing', async () => {
    await createHistory('binary', join(directory, 'larger.git'))
    const limited = (limits: object): TestHub =>
      createTestHub({ imports: { fetch: connection.fetch }, limits })
    for (const limits of [{ repositoryBytes: 2000 }, { objectBytes: 100 }]) {
      const hub = limited(limits)
      const refused = await importTo(hub, 'copy', { url: `${remote.url}/larger.git` })
      expect([refused.status, refused.json.errors[0]?.['code']]).toEqual([413, 10402])
      await expectNothingLeft(hub, 'copy')
    }
  })

  it('answers what is wrong with the remote or the request by the documented codes', async () => {
    await makeRemote('there.git', ['main'])
    const hub = hubThatImports()
    const there = `${remote.url}/there.git`
    const cases: readonly (readonly [Record<string, unknown>, number, number, string])[] = [
      [{ url: 'http://example.com/a.git' }, 400, 10100, 'Must be an HTTPS URL'],
      [{ url: `${remote.httpUrl}/there.git` }, 400, 10100, 'Must be an HTTPS URL'],
      [{ url: 'ssh://git@example.com/a.git' }, 400, 10100, 'Must be an HTTPS URL'],
      [{ url: 'nonsense' }, 400, 10100, 'Invalid URL'],
      [{}, 400, 10100, 'Invalid input: expected string, received undefined'],
      [{ url: there, depth: 0 }, 400, 10100, 'Too small: expected number to be >0'],
      [{ url: there, depth: 1.5 }, 400, 10100, 'Invalid input: expected int, received number'],
      [{ url: there, branch: 'a..b' }, 400, 10100, 'Invalid branch name'],
      [{ url: there, branch: 'absent' }, 404, 10200, 'Remote branch not found.'],
      [{ url: `${remote.url}/absent.git` }, 404, 10200, 'Remote repository not found.'],
    ]
    for (const [body, status, code, message] of cases) {
      const answer = await importTo(hub, 'copy', body)
      expect([body, answer.status, answer.json.errors]).toMatchObject([body, status, [{ code, message }]])
      await expectNothingLeft(hub, 'copy')
    }
    const bad = await importTo(hub, '-bad', { url: there })
    expect([bad.status, bad.json.errors[0]?.['code']]).toEqual([400, 10101])
  })

  it('tells a page that is no repository, a redirect and a request for credentials apart, and follows nothing', async () => {
    await makeRemote('real.git', ['main'])
    const hub = hubThatImports()
    const asked: string[] = []
    const interfering = (status: number, headers: Record<string, string>) => {
      remote.interfere = (request, response) => {
        asked.push(request.url ?? '')
        response.writeHead(status, headers).end('<html></html>')
        return true
      }
    }
    const url = `${remote.url}/moved.git`
    interfering(200, { 'Content-Type': 'text/html' })
    expect((await importTo(hub, 'copy', { url })).json.errors[0]).toMatchObject({ code: 10104 })
    interfering(302, { Location: `${remote.url}/real.git/info/refs?service=git-upload-pack` })
    expect((await importTo(hub, 'copy', { url })).json.errors[0]).toMatchObject({ code: 10104 })
    interfering(401, { 'WWW-Authenticate': 'Basic realm="x"' })
    const refused = await importTo(hub, 'copy', { url })
    expect([refused.status, refused.json.errors[0]]).toMatchObject([
      422,
      {
        code: 10106,
        message: `Repository "${url}" requires authentication (HTTP 401). Only public repositories can be imported.`,
      },
    ])
    interfering(503, {})
    expect((await importTo(hub, 'copy', { url })).json.errors[0]).toMatchObject({ code: 10401 })
    expect(new Set(asked)).toEqual(new Set(['/moved.git/info/refs?service=git-upload-pack']))
    await expectNothingLeft(hub, 'copy')
  })

  it('sends credentials of the URL, and stores and shows them nowhere', async () => {
    const path = await makeRemote('private.git', ['main'])
    const hub = hubThatImports()
    remote.interfere = (request, response) => {
      const isKnown = request.headers.authorization === `Basic ${btoa('me:s3cret')}`
      if (!isKnown) response.writeHead(401).end()
      return !isKnown
    }
    const url = remote.url.replace('https://', 'https://me:s3cret@')
    const created = await importTo(hub, 'copy', { url: `${url}/private.git?x=1#y` })
    expect(created.status).toBe(201)
    const shown = await hub.call('GET', '/namespaces/team/repos/copy')
    expect(shown.json.result).toMatchObject({ source: `git:${remote.url}/private.git` })
    expect(JSON.stringify([created.text, shown.text])).not.toContain('s3cret')
    expect(await readRefLines(await cloneFromHub(hub, createdBy(created)))).toEqual(await readRefLines(path))
  })

  it('reaches no host that is not of the public internet, by name or by address', async () => {
    const asked: string[] = []
    const guarded = createPublicFetch({
      ca: remote.ca,
      resolve: (hostname) => {
        asked.push(hostname)
        return Promise.resolve([
          {
            address: hostname === 'six.test' ? '::ffff:127.0.0.1' : '127.0.0.1',
            family: hostname === 'six.test' ? 6 : 4,
          },
        ])
      },
    })
    let reached = 0
    remote.interfere = () => {
      reached++
      return false
    }
    const hub = createTestHub({ imports: { fetch: guarded.fetch } })
    const hosts = [
      'git.test',
      'six.test',
      '127.0.0.1',
      '[::1]',
      '2130706433',
      '0x7f.1',
      '169.254.169.254',
      '10.0.0.1',
      '[fe80::1]',
      '[fd00::1]',
      '[::ffff:127.0.0.1]',
    ]
    for (const host of hosts) {
      const answer = await importTo(hub, 'copy', { url: `https://${host}:${remote.port}/some.git` })
      expect([host, answer.status, answer.json.errors[0]?.['code']]).toEqual([host, 400, 10104])
    }
    expect([reached, asked]).toEqual([0, ['git.test', 'six.test']])
    guarded.close()
    await expectNothingLeft(hub, 'copy')
  })

  it('over plain HTTP is for loopback hosts of tests', async () => {
    await makeRemote('plain.git', ['main'])
    const hub = createTestHub({ imports: { fetch: connection.fetch, allowLoopbackHttp: true } })
    expect((await importTo(hub, 'copy', { url: `${remote.httpUrl}/plain.git` })).status).toBe(201)
    const refused = await importTo(hub, 'other', { url: 'http://example.com/plain.git' })
    expect(refused.json.errors[0]).toMatchObject({ code: 10100 })
  })

  it('is told apart from other states while it is under way, and a delete ends it', async () => {
    await makeRemote('slow.git', ['main'])
    const hub = hubThatImports()
    let isHeld = (): void => undefined
    const held = new Promise<void>((resolve) => {
      isHeld = resolve
    })
    let release = (): void => undefined
    remote.interfere = (request, response) => {
      if (request.method !== 'POST') return false
      release = () => response.destroy()
      isHeld()
      return true
    }
    const importing = importTo(hub, 'copy', { url: `${remote.url}/slow.git` })
    await held
    const shown = await hub.call('GET', '/namespaces/team/repos/copy')
    expect([shown.status, shown.json.errors[0]?.['code']]).toEqual([409, 10302])
    expect((await importTo(hub, 'copy', { url: remote.url })).json.errors[0]).toMatchObject({ code: 10201 })
    const rows = await hub.result<{ status: string }[]>('GET', '/namespaces/team/repos')
    expect(rows.map(({ status }) => status)).toEqual(['importing'])
    expect((await hub.call('DELETE', '/namespaces/team/repos/copy')).status).toBe(202)
    release()
    expect((await importing).status).toBeGreaterThanOrEqual(400)
    await expectNothingLeft(hub, 'copy')
  })

  it('whose process died is begun anew by the next one, or given up where it needs what nobody stored', async () => {
    const path = await makeRemote('resumed.git', ['main'])
    const first = createTestHub({
      imports: { fetch: () => new Promise(() => undefined) },
    })
    const url = `${remote.url}/resumed.git`
    void importTo(first, 'copy', { url })
    void importTo(first, 'secret', { url: url.replace('https://', 'https://me:s3cret@') })
    await eventually(async () => {
      expect((await first.registry.listStale(Number.MAX_SAFE_INTEGER, 10)).length).toBe(2)
    })
    const { storage, registry } = first
    const imports = { fetch: connection.fetch }
    const early = createTestHub({ storage, registry, imports })
    await early.hub.resume()
    expect((await early.call('GET', '/namespaces/team/repos/copy')).status).toBe(409)
    const clock = (): number => Date.now() + 3_600_000
    const next = createTestHub({ storage, registry, imports, clock })
    await next.hub.resume()
    await eventually(async () => {
      expect((await next.call('GET', '/namespaces/team/repos/copy')).status).toBe(200)
    })
    expect((await next.call('GET', '/namespaces/team/repos/secret')).status).toBe(404)
    const token = await next.result<{ plaintext: string }>('POST', '/namespaces/team/tokens', {
      repo: 'copy',
    })
    const { remote: url2 } = await next.result<{ remote: string }>('GET', '/namespaces/team/repos/copy')
    const clone = await cloneFromHub(next, { token: token.plaintext, remote: url2 })
    expect(await readRefLines(clone)).toEqual(await readRefLines(path))
    expect(next.failures).toEqual([])
  })

  it('is refused by a hub that does not import', async () => {
    const hub = createTestHub()
    const refused = await importTo(hub, 'copy', { url: `${remote.url}/some.git` })
    expect([refused.status, refused.json.errors[0]?.['code']]).toEqual([503, 10401])
  })
})
