import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findBareDirectory } from '../../src/cli/serve/bare-directory.ts'

let top: string
let root: string

async function makeBare(path: string): Promise<void> {
  await mkdir(join(path, 'objects'), { recursive: true })
  await mkdir(join(path, 'refs'))
  await writeFile(join(path, 'HEAD'), 'ref: refs/heads/main\n')
}

beforeAll(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'packstone-bare-')))
  root = join(top, 'root')
  await makeBare(join(root, 'team', 'a.git'))
  await makeBare(join(root, 'plain'))
  await makeBare(join(top, 'outside.git'))
  await makeBare(join(top, 'root-of-another', 'x.git'))
  await mkdir(join(root, 'folder.git'))
  await writeFile(join(root, 'file.git'), '')
  await symlink('../outside.git', join(root, 'escape.git'))
  await symlink('..', join(root, 'up'))
  await symlink('team/a.git', join(root, 'alias.git'))
  await symlink('loop', join(root, 'loop'))
})

afterAll(() => rm(top, { recursive: true, force: true }))

async function find(path: string): Promise<string | undefined> {
  return (await findBareDirectory(root, path))?.path
}

it('a repository is found with and without .git', async () => {
  const a = join(root, 'team', 'a.git')
  expect([await find('team/a.git'), await find('team/a')]).toEqual([a, a])
  const plain = join(root, 'plain')
  expect([await find('plain.git'), await find('plain')]).toEqual([plain, plain])
})

it('what is not a repository is not found', async () => {
  for (const path of [
    'team',
    'folder',
    'file',
    'file/x',
    'nothing',
    '.git',
    'team/.git',
    'loop',
    'x'.repeat(300),
  ]) {
    expect(await find(path), path).toBeUndefined()
  }
})

it('links lead to repositories below the folder, and never out of it', async () => {
  expect(await find('alias')).toBe(join(root, 'team', 'a.git'))
  for (const path of ['escape', 'escape.git', 'up/outside', 'up/root-of-another/x', 'up/root/../outside']) {
    expect(await find(path), path).toBeUndefined()
  }
  expect(await findBareDirectory(join(root, 'plain'), '.')).toBeUndefined()
})

it('a repository that takes the place of another has another identity', async () => {
  const path = join(root, 'replaced.git')
  await makeBare(path)
  const before = await findBareDirectory(root, 'replaced')
  await rename(path, join(root, 'moved.git'))
  await makeBare(path)
  const after = await findBareDirectory(root, 'replaced')
  expect(after?.path).toBe(before?.path)
  expect(after?.identity).not.toBe(before?.identity)
})
