import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openBareRepository } from '../../../src/storage/fs/index.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { git, tryGit } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { readRefLines } from '../../support/repositories.ts'

const scratch = useScratch()
const DAYS = 86_400_000

async function createRepository(): Promise<{ path: string; storage: RepositoryStorage }> {
  const path = scratch.fresh('repository')
  await git(['init', '-q', '--bare', path])
  const storage = (await openBareRepository(path, { durable: false }))!
  onTestFinished(() => storage.close())
  return { path, storage }
}

/** Writes a file that looks so many days old. */
async function writeAged(path: string, days: number, content = 'x'): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  const then = new Date(Date.now() - days * DAYS)
  await utimes(path, then, then)
}

describe('the garbage of a bare repository', () => {
  test('is what dead processes left, and is removed when it is a day old', async () => {
    const { path, storage } = await createRepository()
    const name = `pack-${'a'.repeat(40)}`
    const gone = [
      'objects/pack/tmp_pack_abc',
      'objects/pack/tmp_idx_abc',
      'objects/ab/tmp_obj_abc',
      `objects/pack/${name}.idx`,
      `objects/pack/${name}.rev`,
      `objects/pack/${name}.keep`,
      'objects/info/commit-graph.lock',
    ]
    const kept = `pack-${'b'.repeat(40)}`
    const stays = [
      `objects/pack/${kept}.pack`,
      `objects/pack/${kept}.idx`,
      `objects/pack/${kept}.keep`,
      'objects/pack/multi-pack-index',
    ]
    const ours = `objects/pack/pack-${'c'.repeat(40)}`
    for (const file of [...gone, ...stays]) await writeAged(join(path, file), 2)
    await writeAged(join(path, `${ours}.pack`), 2)
    await writeAged(join(path, `${ours}.keep`), 2, 'packstone receive 4711\n')
    await writeAged(join(path, 'objects/pack/tmp_pack_young'), 0.9)
    expect(await storage.maintenance?.collectGarbage?.()).toBe(gone.length + 1)
    const left = await readdir(join(path, 'objects/pack'))
    expect(left.sort()).toEqual(
      [
        ...stays.map((file) => file.slice('objects/pack/'.length)),
        `pack-${'c'.repeat(40)}.pack`,
        'tmp_pack_young',
      ].sort(),
    )
    expect(await readdir(join(path, 'objects/info'))).toEqual([])
  })
})

describe('the lock of git gc', () => {
  test('keeps others away while its holder lives, here or on another machine', async () => {
    const { path, storage } = await createRepository()
    const acquire = storage.maintenance?.acquireLock?.bind(storage.maintenance)
    const release = await acquire?.()
    expect(typeof release).toBe('function')
    expect(await readFile(join(path, 'gc.pid'), 'utf8')).toBe(`${process.pid} ${hostname()}`)
    expect(await acquire?.()).toBe('busy')
    const { stderr } = await tryGit(['gc'], { cwd: path })
    expect(stderr).toContain('gc is already running')
    if (typeof release === 'function') await release()
    expect(await readdir(path)).not.toContain('gc.pid')
    await writeAged(join(path, 'gc.pid'), 0, '1 another-machine')
    expect(await acquire?.()).toBe('busy')
    await writeAged(join(path, 'gc.pid'), 0.6, '1 another-machine')
    const taken = await acquire?.()
    expect(typeof taken).toBe('function')
    if (typeof taken === 'function') await taken()
  })
})

describe('putting refs together', () => {
  test('leaves a ref that somebody has locked where it is, and every value as it was', async () => {
    const { path, storage } = await createRepository()
    const tree = await git(['mktree'], { cwd: path, input: '' })
    const id = await git(['commit-tree', '-m', 'one', tree], { cwd: path })
    for (let k = 0; k < 10; k++) await git(['update-ref', `refs/heads/b${k}`, id], { cwd: path })
    await git(['tag', '-a', '-m', 'tag', 'v1', id], { cwd: path })
    await git(['symbolic-ref', 'refs/heads/link', 'refs/heads/b1'], { cwd: path })
    const before = await readRefLines(path)
    await writeFile(join(path, 'refs/heads/b3.lock'), '')
    expect(await storage.maintenance?.compactRefs?.()).toBe(11)
    expect(await readRefLines(path)).toEqual(before)
    expect((await readdir(join(path, 'refs/heads'))).sort()).toEqual(['b3', 'b3.lock', 'link'])
    expect(await git(['rev-parse', 'v1^{commit}'], { cwd: path })).toBe(id)
    expect(await git(['symbolic-ref', 'refs/heads/link'], { cwd: path })).toBe('refs/heads/b1')
    expect(await storage.maintenance?.compactRefs?.()).toBe(0)
  })
})
