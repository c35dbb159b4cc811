import { spawn } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { git } from '../support/git.ts'
import { startServe, type PackstoneServer } from '../support/servers/packstone.ts'
import { withToken } from './support.ts'

/** Where wrangler is installed, with a manifest of its own: it needs a later Node than this project. */
const INSTALLATION = join(import.meta.dirname, 'wrangler')

// Each command of wrangler takes seconds, most of them to load it.
vi.setConfig({ testTimeout: 400_000 })

const API_TOKEN = 'token-for-wrangler'

let top: string
let server: PackstoneServer
let base: string

beforeAll(async () => {
  await install()
  top = await mkdtemp(join(tmpdir(), 'packstone-wrangler-'))
  server = await startServe(['--api-token', API_TOKEN, '--account', 'acc_1', '--data', join(top, 'data')])
  base = `${server.url}/client/v4/accounts/acc_1/artifacts`
}, 600_000)

afterAll(async () => {
  await server.close()
  await rm(top, { recursive: true, force: true })
})

/** Installs wrangler unless it is: a fresh clone of the project has it not. */
async function install(): Promise<void> {
  const isThere = await access(join(INSTALLATION, 'node_modules/wrangler/bin/wrangler.js')).then(
    () => true,
    () => false,
  )
  if (isThere) return
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const { code, stderr } = await run('npm', args, { cwd: INSTALLATION, env: process.env })
  if (code !== 0) throw new Error(`wrangler cannot be installed:\n${stderr}`)
}

interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

/** A Node of 22.12 or later: this one, or the one that was installed beside wrangler. */
function newNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 12)) return process.execPath
  return join(INSTALLATION, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin/node')
}

/** Runs `wrangler artifacts` with nothing but environment variables, that of the account included or not. */
function wrangler(args: readonly string[], account?: string): Promise<Output> {
  const program = join(INSTALLATION, 'node_modules/wrangler/bin/wrangler.js')
  return run(newNode(), [program, 'artifacts', ...args], {
    cwd: top,
    env: {
      PATH: '/nowhere',
      HOME: top,
      NO_COLOR: '1',
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_API_BASE_URL: `${server.url}/client/v4`,
      CLOUDFLARE_API_TOKEN: API_TOKEN,
      ...(account === undefined ? {} : { CLOUDFLARE_ACCOUNT_ID: account }),
    },
  })
}

/** Runs it, which must succeed; what it printed. */
async function succeeds(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await wrangler(args, 'acc_1')
  if (code !== 0)
    throw new Error(`wrangler ${args.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`)
  return stdout
}

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${API_TOKEN}` },
    body: JSON.stringify(body),
  })
  if (answer.status !== 201) throw new Error(await answer.text())
}

it('the commands of wrangler create, list, show, open and delete repositories', async () => {
  const [noSpaces, noRepositories] = await Promise.all([
    succeeds('namespaces', 'list'),
    succeeds('repos', 'list', '--namespace', 'team'),
  ])
  expect(noSpaces).toContain('No Artifacts namespaces found.')
  expect(noRepositories).toContain('No Artifacts repos found in namespace "team".')
  const created = await succeeds(
    ...['repos', 'create', 'hello', '--namespace', 'team'],
    ...['--description', 'a description', '--default-branch', 'trunk'],
  )
  expect(created).toContain('Created Artifacts repo "hello" in namespace "team".')
  expect(created).toMatch(/default_branch: +trunk\n/)
  const remote = `${server.url}/git/team/hello.git`
  expect(created).toContain(remote)
  const token = /art_v2_x_[0-9a-f]{40}/.exec(created)?.[0] ?? ''

  const tree = join(top, 'tree')
  await git(['clone', '--quiet', withToken(remote, token), tree])
  await git(['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: tree })
  await git(['push', '--quiet', 'origin', 'HEAD:refs/heads/trunk'], { cwd: tree })

  const [shown, listed, space, spaces, issued] = await Promise.all([
    succeeds('repos', 'get', 'hello', '--namespace', 'team'),
    succeeds('repos', 'list', '--namespace', 'team'),
    succeeds('namespaces', 'get', 'team'),
    succeeds('namespaces', 'list'),
    succeeds('repos', 'issue-token', 'hello', '--namespace', 'team', '--scope', 'read', '--ttl', '60'),
  ])
  expect(shown).toMatch(/description: +a description\n/)
  expect(shown).toMatch(/last_push_at: +\d{4}-/)
  expect(listed).toMatch(/hello +│ trunk +│ false +│ ready/)
  expect(space).toMatch(/repo_count: +1\n/)
  expect(spaces).toMatch(/team +│ 1 /)
  expect(issued).toContain('Issued a read token for repo "hello" in namespace "team".')
  const reader = /art_v2_x_[0-9a-f]{40}/.exec(issued)?.[0] ?? ''
  expect(await git(['ls-remote', withToken(remote, reader)])).toContain('refs/heads/trunk')

  expect(await succeeds('repos', 'delete', 'hello', '--namespace', 'team', '--force')).toContain(
    'Deleted Artifacts repo "hello" from namespace "team".',
  )
})

it('wrangler finds the account by itself, and prints codes and messages of failures', async () => {
  const { code, stdout, stderr } = await wrangler(['repos', 'get', 'none', '--namespace', 'team'])
  expect(code).not.toBe(0)
  expect(stdout + stderr).toContain('Repository not found [code: 10200]')
})

it('wrangler lists all repositories of a namespace, and all namespaces, over however many pages', async () => {
  const names = Array.from({ length: 130 }, (_, at) => `repo-${String(at).padStart(3, '0')}`)
  for (const name of names) await post('/namespaces/many/repos', { name })
  for (let at = 0; at < 120; at++) await post('/namespaces', { namespace: `space-${at}` })
  const [repositories, spaces] = await Promise.all([
    succeeds('repos', 'list', '--namespace', 'many', '--json'),
    succeeds('namespaces', 'list', '--json'),
  ])
  const listed = JSON.parse(repositories) as { name: string }[]
  expect(listed.map(({ name }) => name).sort()).toEqual(names)
  expect((JSON.parse(spaces) as unknown[]).length).toBe(122)
})
