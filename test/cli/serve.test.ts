import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { git, gitFails, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import type { GitServer } from '../support/servers/git-server.ts'
import { packstoneCommand, startPackstone, startServe } from '../support/servers/packstone.ts'
import { cloneWorkTree } from '../support/work-tree.ts'
import { runPackstone } from './run-packstone.ts'

let top: string
let root: string
const running: GitServer[] = []

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-serve-'))
  root = join(top, 'root')
  await mkdir(join(root, 'team'), { recursive: true })
  await createHistory('merges', join(root, 'team', 'a.git'))
  await createHistory('merges', join(top, 'outside.git'))
  await symlink('../outside.git', join(root, 'escape.git'))
})

afterAll(() => rm(top, { recursive: true, force: true }))

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
})

async function start(...args: readonly string[]): Promise<GitServer> {
  const server = await startPackstone(root, { args })
  running.push(server)
  return server
}

function lsRemote(url: string): Promise<string> {
  return git(['ls-remote', url])
}

describe('packstone serve --bare', () => {
  it('serves what is below the folder, with and without .git', async () => {
    const { url } = await start()
    const expected = await git(['ls-remote', join(root, 'team', 'a.git')])
    expect(await lsRemote(`${url}/team/a.git`)).toBe(expected)
    expect(await lsRemote(`${url}/team/a`)).toBe(expected)
    expect(await gitFails(['ls-remote', `${url}/team/b`])).toMatch(/repository '.*team\/b\/' not found/)
  })

  it('serves nothing outside of the folder', async () => {
    const { url } = await start()
    const paths = [
      '/escape.git',
      '/team/..%2f..%2foutside.git',
      '/%2e%2e/outside.git',
      '/..%5coutside.git',
      '//outside.git',
    ]
    for (const path of paths) {
      const answer = await fetch(`${url}${path}/info/refs?service=git-upload-pack`)
      expect([400, 404], path).toContain(answer.status)
    }
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'GET /team/../../outside.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect((await socket.toArray()).join('')).toMatch(/^HTTP\/1\.1 404 /)
  })

  it('lets nobody push unless the config of the repository or --allow-push says so', async () => {
    const refused = await createHistory('renames', join(root, 'refused.git'))
    await git(['config', 'http.receivepack', 'false'], { cwd: refused })
    const configured = await createHistory('renames', join(root, 'configured.git'))
    await git(['config', 'http.receivepack', 'true'], { cwd: configured })
    await createHistory('renames', join(root, 'silent.git'))

    for (const [args, allowed] of [
      [[], ['configured']],
      [['--allow-push'], ['configured', 'silent']],
    ] as const) {
      const { url } = await start(...args)
      for (const name of ['refused', 'configured', 'silent']) {
        const tree = await cloneWorkTree(`${url}/${name}`, join(top, `${name}-${args.length}`))
        await tree.commit('new', String(args.length))
        const { code, stderr } = await tryGit(['push', 'origin', 'HEAD:refs/heads/new', '--force'], {
          cwd: tree.path,
        })
        expect([name, code === 0]).toEqual([name, allowed.includes(name as never)])
        if (code !== 0) expect(stderr).toMatch(/403/)
      }
    }
  })

  it('honours http.uploadpack, and looks at the config again for every request', async () => {
    const path = await createHistory('renames', join(root, 'private.git'))
    const { url } = await start()
    await lsRemote(`${url}/private`)
    await git(['config', 'http.uploadpack', 'false'], { cwd: path })
    expect(await gitFails(['ls-remote', `${url}/private`])).toMatch(/403/)
    await git(['config', 'http.uploadpack', 'true'], { cwd: path })
    await lsRemote(`${url}/private`)
  })

  it('serves with --export-ok only what is marked for export', async () => {
    const path = await createHistory('renames', join(root, 'marked.git'))
    const { url } = await start('--export-ok')
    expect(await gitFails(['ls-remote', `${url}/marked`])).toMatch(/not found/)
    await writeFile(join(path, 'git-daemon-export-ok'), '')
    await lsRemote(`${url}/marked`)
  })

  it('does not serve a repository that somebody has a work tree of', async () => {
    await git(['clone', '--quiet', join(root, 'team', 'a.git'), join(root, 'tree')])
    const { url } = await start('--allow-push')
    for (const path of ['tree', 'tree/.git']) {
      expect(await gitFails(['ls-remote', `${url}/${path}`])).toMatch(/not found/)
    }
  })

  it('sees a repository that was replaced by another', async () => {
    const path = await createHistory('renames', join(root, 'replaced.git'))
    const { url } = await start()
    const before = await lsRemote(`${url}/replaced`)
    await rename(path, join(top, 'put-away.git'))
    await createHistory('merges', path)
    expect(await lsRemote(`${url}/replaced`)).not.toBe(before)
    expect(await lsRemote(`${url}/replaced`)).toBe(await git(['ls-remote', path]))
  })

  it('logs one line for a request, or none when asked to be quiet', async () => {
    const loud = await start()
    const quiet = await start('--quiet')
    for (const { url } of [loud, quiet]) await fetch(`${url}/team/a/info/refs?service=git-upload-pack`)
    await fetch(`${loud.url}/nothing`)
    await eventually(() => {
      expect(loud.readLog()).toMatch(
        /^GET \/team\/a\/info\/refs\?service=git-upload-pack 200 \d+ \d+\.\dms\nGET \/nothing 404 \d+ \d+\.\dms\n$/,
      )
    })
    expect(quiet.readLog()).toBe('')
  })

  it('fails when its port is taken', async () => {
    const { url } = await start()
    const { code, stdout, stderr } = await runPackstone([
      'serve',
      '--bare',
      root,
      '--port',
      new URL(url).port,
    ])
    expect([code, stdout.toString()]).toEqual([1, ''])
    expect(stderr).toMatch(/^packstone: cannot listen on 127\.0\.0\.1, port \d+: .*EADDRINUSE/)
  })
})

describe('packstone serve --demo', () => {
  const children: ChildProcess[] = []

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  /** Starts the hub as `npm start` does; resolves once the text on stdout says how to clone. */
  async function startDemo(directory: string): Promise<{ child: ChildProcess; text: () => string }> {
    const child = spawn(process.execPath, [packstoneCommand(), 'serve', '--demo', '--port', '0', '--quiet'], {
      cwd: directory,
      env: { PATH: '/nowhere' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    while (!text.includes('Ctrl-C')) await sleep(20)
    return { child, text: () => text }
  }

  function ended(child: ChildProcess): Promise<number | null> {
    return new Promise((resolve) => child.once('close', resolve))
  }

  function cloneUrl(text: string): string {
    return /git clone (\S+)/.exec(text)?.[1] ?? ''
  }

  it('has a repository to clone and push to, which the next start serves as it was left', async () => {
    const directory = await mkdtemp(join(top, 'demo-'))
    const first = await startDemo(directory)
    expect(first.text()).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\n/)
    const tree = await cloneWorkTree(cloneUrl(first.text()), join(directory, 'clone'))
    expect(await tree.git('ls-files')).toBe('README.md')
    const head = await tree.commit('new', 'content')
    await tree.git('push', '--quiet')
    first.child.kill('SIGINT')
    expect(await ended(first.child)).toBe(0)

    const second = await startDemo(directory)
    expect(await git(['ls-remote', cloneUrl(second.text()), 'refs/heads/main'])).toBe(
      `${head}\trefs/heads/main`,
    )
    const data = join(directory, 'packstone-data', 'repositories')
    const paths = await readdir(data, { recursive: true })
    const demo = paths.find((path) => path.endsWith('.git')) ?? ''
    expect((await tryGit(['fsck', '--full', '--strict'], { cwd: join(data, demo) })).stderr).toBe('')
  })

  it('prints a REST base URL and an API token that opens it, and nothing without them does', async () => {
    const { text } = await startDemo(await mkdtemp(join(top, 'demo-')))
    const base = /REST API +(\S+)/.exec(text())?.[1] ?? ''
    const token = /API token +(\S+)/.exec(text())?.[1] ?? ''
    const headers = { Authorization: `Bearer ${token}` }
    const answer = await fetch(`${base}/namespaces/demo/repos`, { headers })
    expect(await answer.json()).toMatchObject({ success: true, result: [{ name: 'hello', status: 'ready' }] })
    expect((await fetch(`${base}/namespaces/demo/repos`)).status).toBe(401)
    const remote = new URL(cloneUrl(text()))
    remote.password = ''
    remote.username = ''
    expect(await gitFails(['ls-remote', remote.href])).toMatch(/could not read Username/)
  })

  it('imports from this machine only when it was told to', async () => {
    const remote = await startPackstone(root, { args: ['--quiet'] })
    running.push(remote)
    const importTo = async (hub: GitServer): Promise<unknown[]> => {
      const base = `${hub.url}/client/v4/accounts/local/artifacts/namespaces/team/repos`
      const answer = await fetch(`${base}/a/import`, {
        method: 'POST',
        headers: { Authorization: 'Bearer secret' },
        body: JSON.stringify({ url: `${remote.url}/team/a.git` }),
      })
      const { success, result } = (await answer.json()) as {
        success: boolean
        result: { remote: string; token: string } | null
      }
      return [answer.status, success, result]
    }
    const args = ['--storage', 'memory', '--api-token', 'secret']
    const strict = await startServe(args)
    const lenient = await startServe([...args, '--import-allow-loopback'])
    running.push(strict, lenient)
    expect(await importTo(strict)).toEqual([400, false, null])
    const [status, , result] = await importTo(lenient)
    expect(status).toBe(201)
    const { remote: url, token } = result as { remote: string; token: string }
    const address = new URL(url)
    address.username = 'x'
    address.password = token.replace(/\?.*/, '')
    expect(await lsRemote(address.href)).toBe(await git(['ls-remote', join(root, 'team', 'a.git')]))
  })

  it('finishes a running request when it is told to stop', async () => {
    const directory = await mkdtemp(join(top, 'demo-'))
    const { child, text } = await startDemo(directory)
    const { port, username, password, pathname } = new URL(cloneUrl(text()))
    const socket = connect(Number(port), '127.0.0.1')
    const body = '0014command=ls-refs\n0000'
    socket.write(
      `POST ${pathname}/git-upload-pack HTTP/1.1\r\nHost: x\r\nGit-Protocol: version=2\r\n` +
        `Authorization: Basic ${btoa(`${username}:${password}`)}\r\n` +
        'Content-Type: application/x-git-upload-pack-request\r\nExpect: 100-continue\r\n' +
        `Content-Length: ${body.length}\r\n\r\n`,
    )
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    // It is running: somebody wants the body.
    await eventually(() => {
      expect(answer).toMatch(/^HTTP\/1\.1 100 /)
    })
    child.kill('SIGTERM')
    // It has been told: nobody else is let in.
    await eventually(() => expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow())
    socket.write(body)
    await once(socket, 'close')
    expect(answer).toMatch(/\r\n\r\nHTTP\/1\.1 200 .*refs\/heads\/main/s)
    expect(await ended(child)).toBe(0)
  })
})
