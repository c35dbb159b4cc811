import { cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseHex } from '../../../src/bytes/hex.ts'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import { localFileSystem, type FileSystem } from '../../../src/storage/fs/file-system.ts'
import { createFsStorage } from '../../../src/storage/fs/index.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { codecs, makeHistory, packOf, push, visibleIn } from '../../repository/fork/fixture.ts'
import { git, tryGit } from '../../support/git.ts'
import { listObjects, listReachable, readContents, readRefLines } from '../../support/repositories.ts'
import { temporaryDirectory } from './fixture.ts'
import { Stopped, stoppingFileSystem } from './stopping-file-system.ts'

/** A storage with a copy of a history of git as `source`, packed by git, with some loose objects and refs. */
async function withSource(
  options: { readonly seed?: number; readonly fileSystem?: FileSystem } = {},
): Promise<{ storage: Storage; top: string; source: string; fork: string }> {
  const top = await temporaryDirectory()
  const source = join(top, 'source.git')
  await cp(await makeHistory(options.seed ?? 1, 16), source, { recursive: true })
  const tree = await git(['rev-parse', 'main^{tree}'], { cwd: source })
  const id = await git(['commit-tree', '-m', 'loose', '-p', 'main', tree], { cwd: source })
  await git(['update-ref', 'refs/heads/loose', id], { cwd: source })
  const { fileSystem } = options
  const storage = createFsStorage({ directory: top, durable: false, ...(fileSystem && { fileSystem }) })
  return { storage, top, source, fork: join(top, 'fork.git') }
}

async function faultsOf(path: string): Promise<string> {
  const { code, stdout, stderr } = await tryGit(['fsck', '--full', '--strict', '--no-dangling'], {
    cwd: path,
  })
  return code === 0 ? '' : `${stdout.toString()}${stderr}`
}

async function packFiles(path: string, ending: string): Promise<string[]> {
  const names = await readdir(join(path, 'objects/pack'))
  return names.filter((name) => name.endsWith(ending)).map((name) => join(path, 'objects/pack', name))
}

/** The ids that our view of a repository has, of those that are given. */
async function visible(storage: Storage, key: string, ids: readonly string[]): Promise<string[]> {
  const stored = await storage.open(key)
  if (stored === undefined) throw new Error(`no repository ${key}`)
  const repository = openRepository(stored, { codecs })
  const view = await repository.openView()
  try {
    return await visibleIn(view, ids)
  } finally {
    await view.close()
    await repository.close()
  }
}

describe('a fork on disk of all refs', () => {
  test('is a repository of hard links that git finds nothing wrong with', async () => {
    const { storage, source, fork } = await withSource()
    await forkRepository(storage, 'source', 'fork', { codecs })
    expect(await readContents(fork)).toEqual(await readContents(source))
    expect(await faultsOf(fork)).toBe('')
    const [pack = ''] = await packFiles(source, '.pack')
    const [linked = ''] = await packFiles(fork, '.pack')
    expect((await stat(linked)).ino).toBe((await stat(pack)).ino)
    expect(await packFiles(fork, '.keep')).toEqual([])
    const loose = (await git(['rev-parse', 'loose'], { cwd: source })).replace(/^../, '$&/')
    expect((await stat(join(fork, 'objects', loose))).ino).toBe(
      (await stat(join(source, 'objects', loose))).ino,
    )
  })

  test('outlives a gc and the deletion of its source, and the source those of the fork', async () => {
    for (const [first, second] of [
      ['source', 'fork'],
      ['fork', 'source'],
    ] as const) {
      const { storage, top, source } = await withSource({ seed: 2 })
      const contents = await readContents(source)
      await forkRepository(storage, 'source', 'fork', { codecs })
      for (const name of [first, second]) {
        const path = join(top, `${name}.git`)
        await git(['-c', 'gc.pruneExpire=now', 'gc', '-q'], { cwd: path })
        expect(await faultsOf(path)).toBe('')
        expect(await readContents(path)).toEqual(contents)
      }
      await storage.delete(first)
      const path = join(top, `${second}.git`)
      expect(await faultsOf(path)).toBe('')
      expect(await readContents(path)).toEqual(contents)
      const again = await forkRepository(storage, second, 'again', { codecs })
      expect(again.objectCount).toBe(contents.reachable.length)
    }
  })

  test('is whole when git repacks the source meanwhile', async () => {
    const { storage, top, source } = await withSource({ seed: 7 })
    let working = true
    const repacking = async (): Promise<void> => {
      for (let round = 0; working; round++) {
        const id = await git(['commit-tree', '-m', `round ${round}`, '-p', 'main', 'main^{tree}'], {
          cwd: source,
        })
        await git(['update-ref', `refs/heads/round${round}`, id], { cwd: source })
        await git(['repack', '-q', '-a', '-d'], { cwd: source })
        await git(['prune-packed', '-q'], { cwd: source })
      }
    }
    const forking = async (): Promise<void> => {
      for (let at = 0; at < 12; at++) {
        await forkRepository(storage, 'source', `fork${at}`, { codecs, refs: at % 2 === 0 ? 'all' : 'head' })
      }
    }
    await Promise.all([
      repacking(),
      forking().finally(() => {
        working = false
      }),
    ])
    for (let at = 0; at < 12; at++) {
      const path = join(top, `fork${at}.git`)
      expect(await faultsOf(path)).toBe('')
      const reachable = await listReachable(path)
      expect(await visible(storage, `fork${at}`, await listObjects(source))).toEqual(reachable)
    }
  })

  test('takes over what alternates hold, and does not need them any more', async () => {
    const { storage, top, source, fork } = await withSource({ seed: 3 })
    const contents = await readContents(source)
    const borrower = join(top, 'borrower.git')
    await git(['clone', '-q', '--bare', '--shared', source, borrower])
    await forkRepository(storage, 'borrower', 'fork', { codecs })
    await storage.delete('source')
    await storage.delete('borrower')
    expect((await readContents(fork)).reachable).toEqual(contents.reachable)
    expect(await faultsOf(fork)).toBe('')
  })

  test('is of copies where the disk cannot link', async () => {
    const fileSystem: FileSystem = {
      ...localFileSystem,
      link: () =>
        Promise.reject(Object.assign(new Error('cross-device'), { code: 'EXDEV', syscall: 'link' })),
    }
    const { storage, source, fork } = await withSource({ fileSystem })
    await forkRepository(storage, 'source', 'fork', { codecs, refs: (name) => name !== 'refs/heads/b1' })
    expect((await readRefLines(fork)).length).toBe((await readRefLines(source)).length - 1)
    expect(await faultsOf(fork)).toBe('')
    const [pack = ''] = await packFiles(source, '.pack')
    const [copy = ''] = await packFiles(fork, '.pack')
    expect((await stat(copy)).ino).not.toBe((await stat(pack)).ino)
    expect(await readFile(copy)).toEqual(await readFile(pack))
    expect((await stat(copy)).mode & 0o777).toBe(0o444)
  })

  test('has the permissions and the config of its source', async () => {
    const { storage, source, fork } = await withSource()
    await git(['config', 'core.sharedRepository', '0660'], { cwd: source })
    await forkRepository(storage, 'source', 'fork', { codecs })
    expect(await readFile(join(fork, 'config'), 'utf8')).toBe(await readFile(join(source, 'config'), 'utf8'))
    expect((await stat(join(fork, 'packed-refs'))).mode & 0o777).toBe(0o660)
    expect((await stat(join(fork, 'objects/pack'))).mode & 0o7777).toBe(0o2770)
  })
})

describe('a fork on disk that hides objects', () => {
  test('keeps them hidden when git collects garbage in it', async () => {
    const { storage, source, fork } = await withSource({ seed: 4 })
    const all = await listObjects(source)
    const expected = await listReachable(source, ['main'])
    expect(all.length).toBeGreaterThan(expected.length)
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    expect(await visible(storage, 'fork', all)).toEqual(expected)
    for (const args of [['gc', '-q'], ['repack', '-q', '-a', '-d', '-A'], ['prune']]) {
      await git(args, { cwd: fork })
      expect(await visible(storage, 'fork', all)).toEqual(expected)
      expect(await listReachable(fork)).toEqual(expected)
    }
    expect(await faultsOf(fork)).toBe('')
  })

  test('is damaged, not open, when its mask is lost', async () => {
    const { storage, fork, source } = await withSource({ seed: 4 })
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    const hidden = await git(['rev-parse', 'refs/heads/loose'], { cwd: source })
    await rm(join(fork, 'packstone'), { recursive: true })
    await expect(visible(storage, 'fork', [hidden])).rejects.toMatchObject({ code: 'CORRUPT_INDEX' })
    await mkdir(join(fork, 'packstone'))
    const [keep = ''] = await packFiles(fork, '.keep')
    const pack = keep.slice(0, -'.keep'.length)
    await writeFile(
      join(fork, 'packstone', `${pack.slice(pack.lastIndexOf('/') + 1)}.visible`),
      new Uint8Array(3),
    )
    await expect(visible(storage, 'fork', [hidden])).rejects.toMatchObject({ code: 'CORRUPT_INDEX' })
  })

  test('knows a partial pack by its mask too, when somebody has removed what keeps it', async () => {
    const { storage, fork, source } = await withSource({ seed: 4 })
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    for (const keep of await packFiles(fork, '.keep')) await rm(keep)
    const all = await listObjects(source)
    expect(await visible(storage, 'fork', all)).toEqual(await listReachable(source, ['main']))
  })

  test('links only those loose objects that its refs reach', async () => {
    const { storage, source } = await withSource({ seed: 4 })
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    const id = await git(['rev-parse', 'refs/heads/loose'], { cwd: source })
    const forked = await storage.open('fork')
    onTestFinished(() => forked?.close())
    expect(await forked?.loose?.has(parseHex(id))).toBe(false)
  })

  test('takes pushes of what it hid, and drops the partial pack like any other', async () => {
    const { storage, fork, source } = await withSource({ seed: 5 })
    await forkRepository(storage, 'source', 'fork', { codecs, refs: 'head' })
    const stored = await storage.open('fork')
    if (stored === undefined) throw new Error('no fork')
    const repository = openRepository(stored, { codecs })
    const id = await git(['rev-parse', 'refs/heads/b1'], { cwd: source })
    await push(repository, await packOf(source, [id, 'main']), [{ name: 'refs/heads/b1', id }])
    const partial = (await stored.listPacks()).filter((pack) => pack.partial === true)
    expect(partial).toHaveLength(1)
    await stored.commit({ dropPacks: partial.map(({ name }) => name) })
    await repository.close()
    expect(await readdir(join(fork, 'packstone'))).not.toContain(`${partial[0]?.name ?? ''}.visible`)
    expect(await packFiles(fork, '.keep')).toEqual([])
    expect(await faultsOf(fork)).toBe('')
    expect(await listReachable(fork)).toEqual(await listReachable(source, [id, 'main']))
  })
})

describe('a fork that is killed', () => {
  test('is there whole or not at all, and hurts nobody', async () => {
    const { storage, top, source, fork } = await withSource({ seed: 6 })
    // The first one writes down the reachability of the packs, so that forking is all that the others do.
    await forkRepository(storage, 'source', 'first', { codecs, refs: 'head' })
    const contents = await readContents(source)
    const all = await listObjects(source)
    const expected = await listReachable(source, ['main'])
    for (let allowed = 0; ; allowed++) {
      const { fileSystem, close } = stoppingFileSystem(allowed)
      const killed = createFsStorage({ directory: top, durable: false, fileSystem })
      const failure: unknown = await forkRepository(killed, 'source', 'fork', { codecs, refs: 'head' }).then(
        () => undefined,
        (error: unknown) => error,
      )
      await close()
      if (failure !== undefined) expect(failure).toBeInstanceOf(Stopped)
      if ((await storage.list()).keys.includes('fork')) {
        expect(await visible(storage, 'fork', all)).toEqual(expected)
        expect(await faultsOf(fork)).toBe('')
        await storage.delete('fork')
      }
      if (failure === undefined) break
    }
    expect(await readContents(source)).toEqual(contents)
    const left = (await readdir(top)).filter((name) => name.startsWith('.'))
    expect(left.length).toBeGreaterThan(5)
    for (const name of left) await utimes(join(top, name), 1, 1)
    await storage.delete('first')
    expect(await readdir(top)).toEqual(['source.git'])
  })
})
