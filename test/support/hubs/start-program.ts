import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findFreePort } from '../free-port.ts'
import { installDeno } from './install-deno.ts'
import type { RunningHub } from './rest-client.ts'

/** Tests and benchmarks run in the project's folder. */
const root = resolve('.')

/** Ends a process and those that it started, as the launcher of a runtime does, and waits until it has. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  process.kill(-child.pid)
  await ended
}

async function waitUntilServed(origin: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('the program ended before it listened')
    try {
      await (await fetch(`${origin}/openapi.json`)).arrayBuffer()
      return
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      await new Promise((later) => setTimeout(later, 50))
    }
  }
}

/** Runs a program in a folder of its own, in which packstone is installed. */
async function startProgram(
  command: readonly string[],
  files: Readonly<Record<string, string>>,
  hub: { readonly port: number; readonly account: string; readonly apiToken: string },
): Promise<RunningHub> {
  const folder = await mkdtemp(join(tmpdir(), 'packstone-hub-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/packstone'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { packstone: '*' } }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  const origin = `http://127.0.0.1:${hub.port}`
  const close = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitUntilServed(origin, child)
  } catch (error) {
    await close()
    throw error
  }
  return { ...hub, origin, close }
}

/** The README's code for a runtime, with another port. */
async function readProgram(lastLine: RegExp, port: number): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const found = blocks.find((block) => lastLine.test(block) && block.includes('createHub'))
  if (found === undefined) throw new Error(`README.md has no program with ${String(lastLine)}`)
  return found.replaceAll('8080', String(port))
}

const documented = { account: 'local', apiToken: 'secret' }

/** The hub of the command, on Node. */
export async function startNodeHub(): Promise<RunningHub> {
  const port = await findFreePort()
  const serve = [
    'serve',
    '--port',
    String(port),
    '--data',
    'data',
    '--account',
    'local',
    '--api-token',
    'secret',
  ]
  const command = [process.execPath, join(root, 'dist/cli.js'), ...serve, '--quiet']
  return startProgram(command, {}, { port, ...documented })
}

/** The hub of the README's code for several processes of Node. */
export async function startProcessesHub(): Promise<RunningHub> {
  const port = await findFreePort()
  const files = { 'hub.mjs': await readProgram(/await serveProcesses/, port) }
  return startProgram([process.execPath, 'hub.mjs'], files, { port, ...documented })
}

/** The hub of the README's code for Deno. */
export async function startDenoHub(): Promise<RunningHub> {
  const port = await findFreePort()
  const files = { 'hub.ts': await readProgram(/^Deno\.serve/m, port) }
  const run = ['run', '--allow-all', '--node-modules-dir=manual', '--no-check', 'hub.ts']
  return startProgram([...(await installDeno()), ...run], files, { port, ...documented })
}

/** The hub of the README's code for Bun. */
export async function startBunHub(): Promise<RunningHub> {
  const port = await findFreePort()
  const files = { 'hub.ts': await readProgram(/^Bun\.serve/m, port) }
  return startProgram([join(root, 'node_modules/.bin/bun'), 'run', 'hub.ts'], files, { port, ...documented })
}
