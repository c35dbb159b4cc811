import { mkdir, readdir, readFile, readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, test } from 'vitest'
import { git, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { RestClient, withToken, type Created } from '../support/hubs/rest-client.ts'
import { allowPush, findFaults, listPacks } from '../support/repositories.ts'
import { startServe, type PackstoneServer } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
const running: PackstoneServer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

async function start(args: readonly string[], environment = {}): Promise<PackstoneServer> {
  const server = await startServe(['--processes', '2', '--quiet', ...args], [], environment)
  running.push(server)
  return server
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

/** Somebody who commits and pushes to a branch of his own, again and again, until it is enough; the last push was acknowledged. */
async function pushAgainAndAgain(
  remote: string,
  branch: string,
  isEnough: () => boolean,
  onPush: () => void,
): Promise<string> {
  const work = scratch.fresh(branch)
  await git(['init', '--quiet', '-b', branch, work])
  for (let at = 0; ; at++) {
    await git(['commit', '--quiet', '--allow-empty', '-m', `${branch} ${at}`], { cwd: work })
    const { code } = await tryGit(['push', '--quiet', remote, branch], { cwd: work })
    if (code !== 0) continue
    onPush()
    if (isEnough()) return git(['rev-parse', 'HEAD'], { cwd: work })
  }
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
  const tips = await pushing
  for (const member of members) expect(await readMembers(server)).not.toContain(member)
  const refs = await git(['ls-remote', remote, 'refs/heads/*'])
  for (const [at, branch] of branches.entries()) expect(refs).toContain(`${tips[at]}\trefs/heads/${branch}`)
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--bare', remote, clone])
  await git(['fsck', '--strict', '--full'], { cwd: clone })
  const deaths = [...server.readLog().matchAll(/process (\d+) ended \(SIGKILL\); another one follows/g)]
  expect(deaths.map(([, pid]) => Number(pid))).toEqual(expect.arrayContaining(members))
}

describe('packstone serve --processes', () => {
  it.each(['fs', 'sqlite'])('serves a hub on %s, and goes on when a process is killed', async (kind) => {
    const server = await start(['--storage', kind, '--data', scratch.fresh('data'), '--api-token', 'secret'])
    const rest = new RestClient({
      origin: server.url,
      account: 'local',
      apiToken: 'secret',
      close: () => server.close(),
    })
    const demo = await rest.call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
    await killWhilePushing(server, withToken({ ...demo, token: demo.token.replace(/\?.*/, '') }))
  })

  it('serves a storage, to many who push and clone at a time', async () => {
    const server = await start([
      ...['--plain', '--storage', 'sqlite', '--data', scratch.fresh('data')],
      ...['--allow-push', '--create-on-push'],
    ])
    const remote = `${server.url}/team/a.git`
    const branches = ['a', 'b', 'c', 'd']
    const tips = await Promise.all(
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
    const clones = branches.map((branch) => scratch.fresh(`clone-${branch}`))
    await Promise.all(clones.map((clone) => git(['clone', '--quiet', '--mirror', remote, clone])))
    for (const clone of clones) {
      expect((await git(['rev-parse', ...branches], { cwd: clone })).split('\n')).toEqual(tips)
      await git(['fsck', '--strict', '--full'], { cwd: clone })
    }
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
    const tip = await pushAgainAndAgain(
      `${server.url}/a.git`,
      'main',
      () => left === 0,
      () => left--,
    )
    await until(async () => (await listPacks(served)).length < 6)
    await running.pop()?.close()
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(tip)
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
