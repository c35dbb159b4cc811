import { mkdir, readdir, readFile, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, test } from 'vitest'
import { startS3Server, type S3Server } from '../support/buckets/s3-server.ts'
import { git, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { RestClient, withToken, type Created } from '../support/hubs/rest-client.ts'
import { allowPush, findFaults, listPacks } from '../support/repositories.ts'
import { startServe, type PackstoneServer } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
const running: PackstoneServer[] = []
let bucket: S3Server | undefined

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
  await bucket?.close()
  bucket = undefined
})

async function start(args: readonly string[], environment = {}): Promise<PackstoneServer> {
  const server = await startServe(['--processes', '2', '--quiet', ...args], [], environment)
  running.push(server)
  return server
}

/** Starts a bucket; what a server of it is told, in arguments and in its environment. */
async function startBucket(): Promise<
  [args: readonly string[], environment: Readonly<Record<string, string>>]
> {
  bucket = await startS3Server()
  const credentials = { AWS_ACCESS_KEY_ID: bucket.accessKeyId, AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey }
  return [['--storage', 's3', '--endpoint', bucket.endpoint, '--bucket', bucket.bucket], credentials]
}

/** The processes that listen, in the order in which they began. */
async function readMembers({ pid, url }: PackstoneServer): Promise<number[]> {
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  const sockets = await readFile('/proc/net/tcp', 'latin1')
  // Local address, remote address, state (0A: listens), five more, and the number of the socket.
  const inode = new RegExp(`:${port} \\S+ 0A(?: +\\S+){5} +(\\d+)`).exec(sockets)?.[1] ?? 'none'
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')
  const listening = children.split(' ').map(async (child) => {
    const files = `/proc/${child}/fd`
    const links = (await readdir(files).catch(() => [])).map((fd) =>
      readlink(`${files}/${fd}`).catch(() => ''),
    )
    return (await Promise.all(links)).includes(`socket:[${inode}]`) ? [Number(child)] : []
  })
  return (await Promise.all(listening)).flat()
}

/** Waits for something; the test's own time is the limit. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}

/**
 * Somebody who commits and pushes to a branch of his own, again and again, until it is enough; to another branch where a push was refused:
 * a process that is killed leaves the locks of the refs that it was writing, as git does. What was acknowledged last, by branch.
 */
async function pushAgainAndAgain(
  remote: string,
  name: string,
  isEnough: () => boolean,
  onPush: () => void,
): Promise<ReadonlyMap<string, string>> {
  const work = scratch.fresh(name)
  await git(['init', '--quiet', '-b', 'main', work])
  const acknowledged = new Map<string, string>()
  let branch = name
  for (let at = 0; !isEnough(); at++) {
    await git(['commit', '--quiet', '--allow-empty', '-m', `${name} ${at}`], { cwd: work })
    const { code } = await tryGit(['push', '--quiet', remote, `HEAD:refs/heads/${branch}`], { cwd: work })
    if (code === 0) {
      acknowledged.set(branch, await git(['rev-parse', 'HEAD'], { cwd: work }))
      onPush()
    } else {
      branch = `${name}-${at}`
    }
  }
  return acknowledged
}

/** Clones, and holds every branch to have at least what was acknowledged. */
async function expectAll(remote: string, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--mirror', remote, clone])
  for (const [branch, tip] of acknowledged) {
    await git(['merge-base', '--is-ancestor', tip, `refs/heads/${branch}`], { cwd: clone })
  }
  await git(['fsck', '--strict', '--full'], { cwd: clone })
}

/**
 * Has three push in loops while each of the processes is killed, one after the other, in the middle of that; what was acknowledged is there.
 */
async function killWhilePushing(server: PackstoneServer, remote: string): Promise<void> {
  await until(async () => (await readMembers(server)).length === 2)
  const members = await readMembers(server)
  let pushes = 0
  let enough = false
  const branches = ['one', 'two', 'three']
  const pushing = Promise.all(
    branches.map((branch) =>
      pushAgainAndAgain(
        remote,
        branch,
        () => enough,
        () => pushes++,
      ),
    ),
  )
  for (const member of members) {
    const before = pushes
    await until(() => pushes > before + 3)
    process.kill(member, 'SIGKILL')
    await until(async () => (await readMembers(server)).length === 2)
  }
  const before = pushes
  await until(() => pushes > before + 3)
  enough = true
  for (const acknowledged of await pushing) await expectAll(remote, acknowledged)
  for (const member of members) expect(await readMembers(server)).not.toContain(member)
  const deaths = [...server.readLog().matchAll(/process (\d+) ended \(SIGKILL\); another one follows/g)]
  expect(deaths.map(([, pid]) => Number(pid))).toEqual(expect.arrayContaining(members))
}

describe('packstone serve --processes', () => {
  it.each(['fs', 'sqlite', 's3'])(
    'serves a hub on %s, and goes on when a process is killed',
    async (kind) => {
      const [args, environment] =
        kind === 's3' ? await startBucket() : [['--storage', kind, '--data', scratch.fresh('data')], {}]
      const server = await start([...args, '--api-token', 'secret'], environment)
      const rest = new RestClient({
        origin: server.url,
        account: 'local',
        apiToken: 'secret',
        close: () => server.close(),
      })
      const demo = await rest.call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
      await killWhilePushing(server, withToken({ ...demo, token: demo.token.replace(/\?.*/, '') }))
    },
  )

  it('serves a storage, to many who push and clone at a time', async () => {
    const server = await start([
      ...['--plain', '--storage', 'sqlite', '--data', scratch.fresh('data')],
      ...['--allow-push', '--create-on-push'],
    ])
    const remote = `${server.url}/team/a.git`
    const branches = ['a', 'b', 'c', 'd']
    const pushed = await Promise.all(
      branches.map((branch) => {
        let left = 3
        return pushAgainAndAgain(
          remote,
          branch,
          () => left === 0,
          () => left--,
        )
      }),
    )
    await Promise.all(pushed.map((acknowledged) => expectAll(remote, acknowledged)))
  })

  it('serves bare repositories, and one process joins their packs whoever took the pushes', async () => {
    const folder = scratch.fresh('served')
    const served = `${folder}/a.git`
    await mkdir(folder)
    await git(['init', '-q', '--bare', served])
    await allowPush(served)
    await git(['config', 'gc.autoPackLimit', '4'], { cwd: served })
    const server = await start(['--bare', folder])
    let left = 6
    const pushed = await pushAgainAndAgain(
      `${server.url}/a.git`,
      'main',
      () => left === 0,
      () => left--,
    )
    await until(async () => (await listPacks(served)).length < 6)
    await running.pop()?.close()
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(pushed.get('main'))
    expect(await findFaults(served)).toEqual([])
  })

  it('finishes a running request in each process when it is told to stop, and ends with 0', async () => {
    const folder = scratch.fresh('served')
    await mkdir(folder)
    await git(['init', '-q', '--bare', `${folder}/a.git`])
    const server = await start(['--bare', folder])
    const body = '0014command=ls-refs\n0000'
    const sockets = Array.from({ length: 6 }, () => connect(Number(new URL(server.url).port), '127.0.0.1'))
    for (const socket of sockets) {
      // The server says that it reads the body: the request has begun.
      socket.write(
        'POST /a.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nGit-Protocol: version=2\r\nExpect: 100-continue\r\n' +
          `Content-Type: application/x-git-upload-pack-request\r\nContent-Length: ${body.length}\r\n\r\n`,
      )
      await new Promise((resolve) => socket.once('data', resolve))
    }
    process.kill(server.pid, 'SIGTERM')
    await until(async () => (await fetch(server.url).catch(() => undefined)) === undefined)
    const answers = sockets.map(async (socket) => {
      socket.write(body)
      return (await socket.toArray()).join('')
    })
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    running.length = 0
    expect(await server.ended).toBe('0')
  })

  it('says where it listens, and makes the demo, once', async () => {
    const server = await start(['--demo', '--data', scratch.fresh('data')], { PACKSTONE_API_TOKEN: 'given' })
    await until(async () => (await readMembers(server)).length === 2)
    for (const member of await readMembers(server)) process.kill(member, 'SIGKILL')
    // And more, if one that follows finds its socket gone.
    await until(() => [...server.readLog().matchAll(/another one follows/g)].length >= 2)
    const hub = { origin: server.url, account: 'local', apiToken: 'given', close: () => server.close() }
    await until(async () => (await fetch(server.url).catch(() => undefined)) !== undefined)
    const tokens = await new RestClient(hub).call<unknown[]>('GET', '/namespaces/demo/repos/hello/tokens')
    // One of the repository, and the one that was printed.
    expect(tokens).toHaveLength(2)
  })

  it('says once that its port is taken', async () => {
    const { url } = await start(['--bare', scratch.path])
    const taken = ['--bare', scratch.path, '--port', new URL(url).port, '--processes', '3']
    const { code, stdout, stderr } = await runPackstone(['serve', ...taken])
    expect([code, stdout.toString()]).toEqual([1, ''])
    expect(stderr).toMatch(/^packstone: cannot listen on 127\.0\.0\.1, port \d+: .*EADDRINUSE.*\n$/)
  })

  it.each([
    [['--storage', 'memory', '--processes', '2'], /--processes needs one that several share/],
    [['--processes', '0'], /whole number from 1 to 1024/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runPackstone(['serve', ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

test.each([['--plain'], ['--bare', '.']])(
  'a token in the environment is no conflict with %s',
  async (...mode) => {
    const server = await startServe([...mode, '--data', scratch.fresh('data')], [], {
      PACKSTONE_API_TOKEN: 'x',
    })
    await server.close()
    const { code, stderr } = await runPackstone(['serve', ...mode, '--api-token', 'x'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/cannot be used with option '--api-token/)
  },
)
