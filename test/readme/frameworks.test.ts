import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDeno } from '../support/hubs/install-deno.ts'
import { git } from '../support/git.ts'

const root = resolve(import.meta.dirname, '../..')
const BUN = join(root, 'node_modules/.bin/bun')
let folder: string
const children: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packstone-frameworks-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/packstone'))
  // Deno takes packages from here only when a manifest names them.
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { packstone: '*' } }))
  for (const name of ['hono', 'express', 'fastify']) {
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
})
afterAll(async () => {
  for (const child of children) child.kill()
  await rm(folder, { recursive: true, force: true })
})

/** The lines of the README's code that begins with this one. */
async function readSnippet(firstLine: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const found = blocks.find((block) => block.startsWith(firstLine))
  if (found === undefined) throw new Error(`README.md has no code that begins with '${firstLine}'`)
  return found
}

/** A repository in memory, in front of which each framework is put; prints its address. */
const REPOSITORY = `
import { openRepository } from 'packstone'
import { createNodeCodecs } from 'packstone/codec/node'
import { createPortableCodecs } from 'packstone/codec/portable'
import { createNodeListener } from 'packstone/hosts/node'
import { createGitHandler } from 'packstone/http'
import { createMemoryStorage } from 'packstone/storage/memory'

const storage = await createMemoryStorage().create('demo', { objectFormat: 'sha1', head: 'refs/heads/main' })
const resolve = (path) =>
  path === 'demo'
    ? { kind: 'found', repository, access: { upload: true, receive: true } }
    : { kind: 'not-found' }
`
const PORTABLE = 'const repository = openRepository(storage, { codecs: createPortableCodecs() })\n'
const NODE = 'const repository = openRepository(storage, { codecs: createNodeCodecs() })\n'

/** Starts the program and waits for the port that it prints. */
async function start(command: readonly string[], name: string, code: string): Promise<number> {
  const file = join(folder, `${name}.mjs`)
  await writeFile(file, code)
  const [program = '', ...args] = command
  const child = spawn(program, [...args, file], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^listening on (\d+)$/.exec(line)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new Error(`${name} ended before it listened`)
}

/** Pushes a commit and enough of a file that bodies come in many pieces; clones it; compares. */
async function pushAndClone(url: string, name: string): Promise<void> {
  const work = join(folder, `${name}-work`)
  await git(['init', '--quiet', work])
  await writeFile(
    join(work, 'large'),
    new Uint8Array(3_000_000).map((_, at) => (at * at * 31) >> 7),
  )
  await git(['add', '.'], { cwd: work })
  await git(['commit', '--quiet', '-m', 'first'], { cwd: work })
  await git(['push', '--quiet', url, 'HEAD:refs/heads/main'], { cwd: work })
  const clone = join(folder, `${name}-clone`)
  await git(['clone', '--quiet', url, clone])
  expect(await git(['rev-parse', 'HEAD^{tree}'], { cwd: clone })).toBe(
    await git(['rev-parse', 'HEAD^{tree}'], { cwd: work }),
  )
}

const serveFetch = `
createServer(createNodeListener(app.fetch)).listen(0, '127.0.0.1', function () { console.log('listening on ' + this.address().port) })
`
const listen = `.listen(0, '127.0.0.1', function () { console.log('listening on ' + this.address().port) })\n`

test('the handler in Hono, below a path, takes a push and gives it back', async () => {
  const code = [
    `import { createServer } from 'node:http'\nimport { Hono } from 'hono'`,
    REPOSITORY + NODE,
    `const git = createGitHandler({ resolve, prefix: '/git' })`,
    await readSnippet('const app = new Hono()'),
    serveFetch,
  ].join('\n')
  const port = await start([process.execPath], 'hono', code)
  await pushAndClone(`http://127.0.0.1:${port}/git/demo`, 'hono')
})

test('the handler in Express, below a path, takes a push and gives it back', async () => {
  const code = [
    `import express from 'express'`,
    REPOSITORY + NODE,
    `const git = createGitHandler({ resolve })`,
    await readSnippet('const app = express()'),
    `app${listen}`,
  ].join('\n')
  const port = await start([process.execPath], 'express', code)
  await pushAndClone(`http://127.0.0.1:${port}/git/demo`, 'express')
})

test('the handler in Fastify, below a path, takes a push and gives it back', async () => {
  const code = [
    `import fastify from 'fastify'`,
    REPOSITORY + NODE,
    `const listener = createNodeListener(createGitHandler({ resolve, prefix: '/git' }))`,
    await readSnippet('const app = fastify()'),
    `console.log('listening on ' + new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)`,
  ].join('\n')
  const port = await start([process.execPath], 'fastify', code)
  await pushAndClone(`http://127.0.0.1:${port}/git/demo`, 'fastify')
})

test('Deno serves the handler with its own server', async () => {
  const deno = REPOSITORY.replace(/^import .*(?:codec\/node|hosts\/node).*\n/gm, '')
  const code = `${deno}${PORTABLE}const git = createGitHandler({ resolve })
const onListen = ({ port }) => console.log('listening on ' + port)
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, git)\n`
  const port = await start(
    [...(await installDeno()), 'run', '--allow-all', '--node-modules-dir=manual'],
    'deno',
    code,
  )
  await pushAndClone(`http://127.0.0.1:${port}/demo`, 'deno')
})

test('Bun serves the handler with its own server', async () => {
  const bun = REPOSITORY.replace(/^import .*(?:codec\/node|hosts\/node).*\n/gm, '')
  const code = `${bun}${PORTABLE}const git = createGitHandler({ resolve })
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: git })
console.log('listening on ' + server.port)\n`
  const port = await start([BUN, 'run'], 'bun', code)
  await pushAndClone(`http://127.0.0.1:${port}/demo`, 'bun')
})
