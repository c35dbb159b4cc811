import { readdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { findFaults, listObjects, listPacks, readContents, readRefLines } from '../support/repositories.ts'
import { startServe } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()

async function createRepository(): Promise<string> {
  const path = await createHistory('merges', scratch.fresh('repository'), { scale: 0.1 })
  await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'garbage\n' })
  return path
}

test('repositories are maintained one after the other, and what was done is told', async () => {
  const paths = [await createRepository(), await createRepository()]
  const before = await Promise.all(paths.map((path) => readContents(path)))
  const { code, stdout, stderr } = await runPackstone(['maintain', '--full', ...paths])
  expect([code, stderr]).toEqual([0, ''])
  for (const path of paths) {
    expect(stdout.toString()).toContain(`${path}: packed `)
    expect(stdout.toString()).toContain(`${path}: wrote commit-graph`)
    expect(await findFaults(path)).toEqual([])
  }
  expect(await Promise.all(paths.map((path) => readContents(path)))).toEqual(before)
  const again = await runPackstone(['maintain', '--full', ...paths])
  expect(again.stdout.toString()).toBe(paths.map((path) => `${path}: nothing to do\n`).join(''))
})

test('garbage goes with --gc, after the time that --grace gives it', async () => {
  const path = await createRepository()
  const before = await listObjects(path)
  expect(await runPackstone(['maintain', '--gc', '--quiet', path])).toMatchObject({ code: 0 })
  expect(await listObjects(path)).toEqual(before)
  expect(await runPackstone(['maintain', '--gc', '--grace=now', '--quiet', path])).toMatchObject({ code: 0 })
  expect(await listObjects(path)).toEqual((await readContents(path)).reachable)
  expect(await listPacks(path)).toHaveLength(1)
})

test('what is left to do, what failed and what was asked for wrongly have exit codes of their own', async () => {
  const path = await createRepository()
  await writeFile(join(path, 'gc.pid'), `${process.pid} ${hostname()}\n`)
  const busy = await runPackstone(['maintain', path])
  expect(busy).toMatchObject({ code: 3, stderr: '' })
  expect(busy.stdout.toString()).toContain('somebody else maintains it')
  const none = await runPackstone(['maintain', scratch.fresh('none')])
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('not a Git repository') as string })
  for (const wrong of [['--gc', '--full'], ['--grace=2w'], ['--gc', '--grace=soon'], ['--time-budget=0']]) {
    expect(await runPackstone(['maintain', ...wrong, path])).toMatchObject({ code: 2 })
  }
})

test('a time budget ends the command, and more of them come to the end', async () => {
  const path = await createRepository()
  const before = await readContents(path)
  const { code } = await runPackstone(['maintain', '--full', '--time-budget=0.001', path])
  expect(code).toBe(3)
  expect(await runPackstone(['maintain', '--full', '--time-budget=60', path])).toMatchObject({ code: 0 })
  expect(await readContents(path)).toEqual(before)
})

test('a bundle of each repository is written for clones to begin with', async () => {
  const path = await createRepository()
  const empty = scratch.fresh('empty.git')
  await git(['init', '-q', '--bare', empty])
  const folder = scratch.fresh('bundles')
  const { code, stdout, stderr } = await runPackstone(['maintain', '--full', '--bundle', folder, path, empty])
  expect([code, stderr]).toEqual([0, ''])
  const file = join(folder, `${basename(path)}.bundle`)
  expect(stdout.toString()).toContain(`${path}: wrote ${file}\n`)
  await git(['bundle', 'verify', '-q', file], { cwd: path })
  expect(await readdir(folder)).toEqual([basename(file)])
  const clone = scratch.fresh('clone')
  await git(['clone', '-q', '--mirror', `--bundle-uri=${file}`, path, clone])
  expect((await readContents(clone)).reachable).toEqual(
    expect.arrayContaining((await readContents(path)).reachable),
  )
  const twice = await runPackstone([
    'maintain',
    '--bundle',
    folder,
    path,
    `${dirname(path)}/./${basename(path)}`,
  ])
  expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('one by one') as string })
})

test('all repositories of a storage are maintained', async () => {
  const data = scratch.fresh('data')
  const source = await createRepository()
  const serve = ['--plain', '--storage', 'sqlite', '--data', data, '--allow-push', '--create-on-push']
  const server = await startServe(serve)
  try {
    for (const key of ['one', 'team/two']) {
      for (const refs of ['refs/heads/main', 'refs/heads/*:refs/heads/*'])
        await git(['push', '-q', `${server.url}/${key}.git`, refs], { cwd: source })
    }
  } finally {
    await server.close()
  }
  const args = ['maintain', '--full', '--storage', 'sqlite', '--data', data]
  const { code, stdout, stderr } = await runPackstone(args)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.toString()).toMatch(/^one: packed \d+ objects .*\nteam\/two: packed \d+ objects .*\n$/)
  const again = await startServe(serve)
  try {
    const clone = scratch.fresh('clone')
    await git(['clone', '-q', '--mirror', `${again.url}/team/two.git`, clone])
    expect(await readRefLines(clone, 'refs/heads/')).toEqual(await readRefLines(source, 'refs/heads/'))
    expect(await findFaults(clone)).toEqual([])
  } finally {
    await again.close()
  }
  expect(await runPackstone([...args, 'three'])).toMatchObject({ code: 1 })
  expect(await runPackstone(['maintain', '--full'])).toMatchObject({ code: 2 })
})
