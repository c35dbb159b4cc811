import { readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { GitError } from '../../src/errors.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { hasObject, readObject } from '../../src/object/object-reader.ts'
import { objectTypeName } from '../../src/object/object-type.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { ObjectDatabase } from '../../src/odb/object-database.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import type { RepositoryStorage } from '../../src/storage/repository-storage.ts'
import { readAllObjects, type GitObject } from '../pack/git-packs.ts'
import { createHistory } from '../support/histories.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { listPacks } from '../support/repositories.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

interface Opened {
  readonly path: string
  readonly objects: Map<string, GitObject>
  readonly storage: RepositoryStorage
  readonly database: ObjectDatabase
}

/** A bare repository made by git, packed once, opened from disk. */
async function openFs(cacheBytes = 8 << 20): Promise<Opened> {
  const path = await createHistory('source-like', scratch.fresh('view.git'), { scale: 0.05 })
  const storage = await openBareRepository(path)
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  onTestFinished(() => storage.close())
  const database = new ObjectDatabase(storage, format, codecs, createMemoryBudget(cacheBytes))
  return { path, objects: await readAllObjects(path), storage, database }
}

async function expectAll(view: ObjectView, objects: ReadonlyMap<string, GitObject>): Promise<void> {
  for (const [id, { type, body }] of objects) {
    const object = await readObject(view, parseHex(id))
    expect(object && objectTypeName(object.type)).toBe(type)
    expect(Buffer.compare(object?.body ?? Buffer.of(), body)).toBe(0)
  }
}

async function read(view: ObjectView, id: string): Promise<string | null> {
  const object = await readObject(view, parseHex(id))
  return object === null ? null : Buffer.from(object.body).toString('latin1')
}

const ABSENT = '12'.repeat(20)

describe('a view of a repository on disk', () => {
  test('gives packed and loose objects, and null for what is absent', async () => {
    const { path, objects, database } = await openFs()
    const loose = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'loose\n' })
    const view = await database.openView()
    await expectAll(view, objects)
    expect(await read(view, loose)).toBe('loose\n')
    expect(await read(view, ABSENT)).toBeNull()
    expect(await hasObject(view, parseHex(loose))).toBe(true)
    expect(await hasObject(view, parseHex(ABSENT))).toBe(false)
    expect(view.tryHas(parseHex(ABSENT))).toBe(false)
    expect(view.locate(parseHex(loose))).toBeUndefined()
    const [first = ''] = objects.keys()
    expect(view.locate(parseHex(first))?.pack.index.id(view.locate(parseHex(first))!.rank)).toEqual(
      parseHex(first),
    )
    await view.close()
  })

  test('asks the storage once for a whole frontier', async () => {
    const { objects, database } = await openFs()
    const view = await database.openView()
    const ids = [...objects.keys()].map(parseHex)
    expect(ids.every((id) => view.tryHas(id))).toBe(true)
    for (let round = 0; ids.some((id) => view.tryRead(id) === undefined); round++) {
      expect(round).toBeLessThan(2)
      await view.settle()
    }
    await view.close()
  })

  test('names a loose object that is corrupt', async () => {
    const { path, database } = await openFs()
    const id = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'soon damaged\n' })
    const file = `${path}/objects/${id.slice(0, 2)}/${id.slice(2)}`
    await rm(file)
    await writeFile(file, 'not zlib')
    const view = await database.openView()
    await expect(read(view, id)).rejects.toThrow(gitError('CORRUPT_OBJECT', id))
    await view.close()
  })

  test('finds what others add meanwhile, loose and packed', async () => {
    const { path, database } = await openFs()
    const view = await database.openView()
    const loose = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'added loose\n' })
    expect(await read(view, loose)).toBe('added loose\n')
    const packed = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'added packed\n' })
    await git(['pack-objects', '-q', `${path}/objects/pack/pack`], { cwd: path, input: `${packed}\n` })
    await git(['prune-packed', '-q'], { cwd: path })
    expect(await read(view, packed)).toBe('added packed\n')
    expect(view.locate(parseHex(packed))).toBeDefined()
    await view.close()
  })

  test('survives a repack that replaces its packs, before and after it has read from them', async () => {
    const { path, objects, database } = await openFs()
    for (const readFirst of [false, true]) {
      const view = await database.openView()
      if (readFirst) await expectAll(view, new Map([...objects].slice(0, 3)))
      const before = await listPacks(path)
      const args = readFirst ? ['--depth=5', '--window=3'] : ['--depth=20', '--window=30']
      await git(['repack', '-adfq', ...args], { cwd: path })
      expect(await listPacks(path)).not.toEqual(before)
      await expectAll(view, objects)
      await view.close()
      const again = await database.openView()
      await expectAll(again, objects)
      await again.close()
    }
  })

  test('keeps a pinned pack readable when it is deleted, and says when one is gone before', async () => {
    const { path, objects, database } = await openFs()
    const [id = ''] = objects.keys()
    const view = await database.openView()
    const pinned = view.locate(parseHex(id))!.pack
    expect(await view.pin(pinned)).toBe(true)
    await git(['repack', '-adfq', '--depth=5'], { cwd: path })
    const other = await database.openView()
    const late = other.locate(parseHex(id))!.pack
    expect(late).not.toBe(pinned)
    await git(['repack', '-adfq', '--depth=0'], { cwd: path })
    expect(await other.pin(late)).toBe(false)
    const moved = other.locate(parseHex(id))!.pack
    expect(moved).not.toBe(late)
    expect(await other.pin(moved)).toBe(true)
    for (const rank of pinned.index.packOrder) {
      while (pinned.tryRead(rank) === undefined) await pinned.data.settle()
    }
    await view.close()
    await other.close()
  })

  test('finds objects that move from loose to packed, and from packed to loose', async () => {
    const { path, objects, database } = await openFs()
    const id = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'moving\n' })
    await git(['update-ref', 'refs/tags/moving', id], { cwd: path })
    const loose = await database.openView()
    await git(['repack', '-adq'], { cwd: path })
    expect(await read(loose, id)).toBe('moving\n')
    await loose.close()

    const packed = await database.openView()
    const [pack = ''] = await listPacks(path)
    const bytes = await readFile(`${pack}.pack`)
    for (const kind of ['pack', 'idx']) await rm(`${pack}.${kind}`)
    await git(['unpack-objects', '-q'], { cwd: path, input: bytes })
    await expectAll(packed, objects)
    await packed.close()
  })

  test('says null for what was deleted for good', async () => {
    const { path, objects, database } = await openFs()
    const view = await database.openView()
    for (const pack of await listPacks(path)) for (const kind of ['pack', 'idx']) await rm(`${pack}.${kind}`)
    const [id = ''] = objects.keys()
    expect(await read(view, id)).toBeNull()
    await view.close()
  })
})

/** The storage with some calls replaced. */
function replacing(storage: RepositoryStorage, parts: Partial<RepositoryStorage>): RepositoryStorage {
  return Object.assign(Object.create(storage) as RepositoryStorage, parts)
}

describe('an object database', () => {
  test('lists packs twice for any number of concurrent refreshes, the second time for those that came later', async () => {
    const { storage } = await openFs()
    let lists = 0
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const counting = replacing(storage, {
      listPacks: async () => {
        lists++
        if (lists === 1) await gate
        return storage.listPacks()
      },
    })
    const database = new ObjectDatabase(counting, format, codecs, createMemoryBudget(1 << 20))
    const first = database.refresh()
    const later = Array.from({ length: 10 }, () => database.refresh())
    release()
    const packs = await first
    for (const list of await Promise.all(later)) expect(list).toEqual(packs)
    expect(lists).toBe(2)
    await database.refresh()
    expect(lists).toBe(3)
  })

  test('recovers from a refresh that failed', async () => {
    const { storage, objects } = await openFs()
    let failing = true
    const flaky = replacing(storage, {
      listPacks: () =>
        failing ? Promise.reject(new GitError('STORAGE', 'the disk is on fire')) : storage.listPacks(),
    })
    const database = new ObjectDatabase(flaky, format, codecs, createMemoryBudget(1 << 20))
    const refreshes = await Promise.allSettled([database.refresh(), database.refresh()])
    expect(refreshes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    failing = false
    const view = await database.openView()
    await expectAll(view, objects)
    await view.close()
  })

  test('closes each file that it opened, once nobody reads it any more', async () => {
    const { storage, objects, path } = await openFs()
    let opened = 0
    let closed = 0
    const counting = replacing(storage, {
      openPackFile: async (name, kind) => {
        const file = await storage.openPackFile(name, kind)
        opened++
        return { size: file.size, read: (ranges) => file.read(ranges), close: () => (closed++, file.close()) }
      },
    })
    const database = new ObjectDatabase(counting, format, codecs, createMemoryBudget(1 << 20))
    const one = await database.openView()
    const two = await database.openView()
    await expectAll(one, objects)
    await one.close()
    await one.close()
    expect(opened - closed).toBe(1)
    await git(['repack', '-adfq', '--depth=3'], { cwd: path })
    await database.refresh()
    expect(opened - closed).toBe(1)
    await expectAll(two, objects)
    await two.close()
    expect(opened - closed).toBe(0)
    const three = await database.openView()
    await expectAll(three, objects)
    await database.close()
    await expectAll(three, objects)
    expect(opened - closed).toBe(1)
    await three.close()
    expect(opened - closed).toBe(0)
  })

  test('a closed view says so instead of reading', async () => {
    const { objects, database } = await openFs()
    const view = await database.openView()
    await view.close()
    const [id = ''] = objects.keys()
    await expect(read(view, id)).rejects.toThrow(gitError('INVALID_ARGUMENT', 'closed'))
  })

  test('a pack that is listed and cannot be opened is an error, not an endless search', async () => {
    const { storage, objects } = await openFs()
    let opens = 0
    const lying = replacing(storage, {
      openPackFile: (name, kind) => {
        if (kind === 'idx') return storage.openPackFile(name, kind)
        if (++opens > 20) throw new Error('still searching')
        return Promise.reject(new GitError('NOT_FOUND', 'no such pack'))
      },
    })
    const database = new ObjectDatabase(lying, format, codecs, createMemoryBudget(1 << 20))
    const view = await database.openView()
    const [id = ''] = objects.keys()
    await expect(read(view, id)).rejects.toThrow(gitError('STORAGE', 'cannot be opened'))
    await view.close()
  })

  test('a pack that comes back under its name is read on', async () => {
    const { storage, objects } = await openFs()
    let away = 1
    const flickering = replacing(storage, {
      openPackFile: (name, kind) =>
        kind === 'pack' && away-- > 0
          ? Promise.reject(new GitError('NOT_FOUND', 'no such pack'))
          : storage.openPackFile(name, kind),
    })
    const database = new ObjectDatabase(flickering, format, codecs, createMemoryBudget(1 << 20))
    const view = await database.openView()
    await expectAll(view, objects)
    await view.close()
  })
})
