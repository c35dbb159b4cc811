import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
let folder: string

/** Entry points that load only in the runtime they are for. */
const ELSEWHERE = /^\.\/(?:hosts\/(?:workers|deno|bun)|hub\/entrypoint|package\.json)/

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packstone-installed-'))
  const { stdout } = await run(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, root],
    { cwd: folder },
  )
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const tarball = join(folder, stdout.trim())
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', tarball], {
    cwd: folder,
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('the package, installed into an empty project, loads by every entry point', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { exports: object }
  const names = Object.keys(manifest.exports).filter((path) => !ELSEWHERE.test(path))
  const lines = names.map(
    (path) => `console.log(Object.keys(await import('packstone${path.slice(1)}')).length > 0)`,
  )
  await writeFile(join(folder, 'load.mjs'), lines.join('\n'))
  const { stdout } = await run(process.execPath, ['load.mjs'], { cwd: folder })
  expect(stdout.trim().split('\n')).toEqual(names.map(() => 'true'))
})

test('the command of the installed package runs', async () => {
  const { stdout } = await run(join(folder, 'node_modules/.bin/packstone'), ['--version'], { cwd: folder })
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  expect(stdout.trim()).toBe(version)
})
