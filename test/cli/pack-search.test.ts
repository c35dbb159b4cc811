import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { git, gitLines } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { runPackstone } from './run-packstone.ts'

let top: string
let repository: string

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-pack-search-'))
  repository = await createHistory('source-like', join(top, 'a.git'))
  // All objects are loose, so every delta is one that was searched.
  for (const pack of await listPacks(repository)) {
    const bytes = await readFile(`${pack}.pack`)
    for (const extension of ['.pack', '.idx']) await rm(pack + extension)
    await git(['unpack-objects', '-q'], { cwd: repository, input: bytes })
  }
})

afterAll(() => rm(top, { recursive: true, force: true }))

/** How long the delta chains are in a pack that `packstone pack` writes with these options. */
async function packedDepths(args: readonly string[]): Promise<number[]> {
  const { code, stdout, stderr } = await runPackstone(['pack', repository, '--all', '--stdout', ...args])
  expect([code, stderr]).toEqual([0, ''])
  const path = join(top, 'made.pack')
  await writeFile(path, stdout)
  await git(['index-pack', '--strict', path], { cwd: repository })
  const lines = await gitLines(['verify-pack', '-v', join(top, 'made.idx')], { cwd: repository })
  const fields = lines.map((line) => line.split(/\s+/)).filter(([id = '']) => /^[0-9a-f]{40}$/.test(id))
  expect(fields.map(([id]) => id).sort()).toEqual(await listReachable(repository))
  return fields.map((field) => Number(field[5] ?? 0))
}

it('searches no deltas unless it is told to', async () => {
  expect(Math.max(...(await packedDepths([])))).toBe(0)
})

it.each([
  ['--window=10'],
  ['--depth=50'],
  ['--no-reuse-delta'],
  ['--no-reuse-object'],
  ['--portable', '--window=10'],
])('searches deltas with %s %s', async (...args) => {
  const depths = await packedDepths(args)
  expect(Math.max(...depths)).toBeGreaterThan(1)
  expect(Math.max(...depths)).toBeLessThanOrEqual(50)
})

it('keeps to --depth, and makes no deltas with --window=0', async () => {
  expect(Math.max(...(await packedDepths(['--depth=2'])))).toBe(2)
  expect(Math.max(...(await packedDepths(['--window=0'])))).toBe(0)
})

it('refuses what is no number, and numbers that are out of range', async () => {
  for (const args of ['--window=ten', '--depth=-1', '--depth=5000']) {
    const { code, stdout, stderr } = await runPackstone(['pack', repository, '--all', '--stdout', args])
    expect([code === 0, stdout.length]).toEqual([false, 0])
    expect(stderr).toMatch(/^packstone: /)
  }
})
