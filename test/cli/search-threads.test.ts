import { execFile } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { createHistory } from '../support/histories.ts'
import { installDeno } from '../support/hubs/install-deno.ts'
import { listPacks } from '../support/repositories.ts'
import { packstoneCommand } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
let repository: string

beforeAll(async () => {
  // More than one segment: some of it is searched by others.
  repository = await createHistory('data-like', scratch.fresh('a.git'))
})

/** The pack that a runtime makes, with some more arguments. */
async function pack(runtime: readonly string[], ...more: readonly string[]): Promise<Buffer> {
  const [program = '', ...before] = runtime
  const args = [packstoneCommand(), 'pack', repository, '--all', '--stdout', '--no-reuse-object', ...more]
  const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const
  const { stdout, stderr } = await promisify(execFile)(program, [...before, ...args], options)
  expect(stderr.toString()).toBe('')
  return stdout
}

test('pack makes the same bytes with any number of threads', async () => {
  const alone = await pack([process.execPath])
  for (const threads of ['2', '4']) {
    expect((await pack([process.execPath], '--threads', threads)).equals(alone)).toBe(true)
  }
})

test('pack makes the same bytes on Node, Bun and Deno, with several threads too', async () => {
  const expected = await pack([process.execPath], '--portable')
  const deno = [...(await installDeno()), 'run', '--allow-all', '--node-modules-dir=manual', '--no-check']
  for (const runtime of [[process.execPath], [resolve('node_modules/.bin/bun')], deno]) {
    expect((await pack(runtime, '--portable', '--threads', '2')).equals(expected)).toBe(true)
  }
})

test('maintain makes the same pack with several threads', async () => {
  const names: string[][] = []
  for (const threads of ['1', '3']) {
    const copy = scratch.fresh('copy.git')
    await cp(repository, copy, { recursive: true })
    const { code, stderr } = await runPackstone(['maintain', '--full', '--force', '--threads', threads, copy])
    expect([code, stderr]).toEqual([0, ''])
    await git(['fsck', '--strict'], { cwd: copy })
    names.push((await listPacks(copy)).map((path) => path.slice(copy.length)))
  }
  expect(names[0]).toHaveLength(1)
  expect(names[1]).toEqual(names[0])
})

test.each([
  ['pack', ['--all', '--stdout'], '--threads needs an option that has deltas searched'],
  ['maintain', [], '--threads needs --full or --gc'],
])('%s refuses threads that would have nothing to do', async (name, args, message) => {
  const { code, stderr } = await runPackstone([name, repository, ...args, '--threads', '2'])
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})
