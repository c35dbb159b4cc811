import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { localFileSystem, type FileSystem } from '../../../src/storage/fs/file-system.ts'
import { openBareRepository } from '../../../src/storage/fs/index.ts'
import { readFileIfThere } from '../../../src/storage/fs/git-directory.ts'
import { WatchedValue } from '../../../src/storage/fs/watched-value.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { useScratch } from '../../support/hooks.ts'
import { makeBare, type BareFixture } from './fixture.ts'

const scratch = useScratch()

/** Long enough for what was written before to count as settled. */
const settle = (): Promise<void> => delay(2100)

/** Changes in a directory that has `file` ("one"), `link` (to "file") and `inside/`. */
const CHANGES: Readonly<Record<string, (directory: string) => Promise<unknown>>> = {
  'a file is written over in place, with as many bytes': (directory) =>
    writeFile(join(directory, 'file'), 'two'),
  'another file of that size takes its place': async (directory) => {
    await writeFile(join(directory, 'file.new'), 'six')
    await rename(join(directory, 'file.new'), join(directory, 'file'))
  },
  'a file appears that was not there': (directory) => writeFile(join(directory, 'absent'), ''),
  'a file goes away': (directory) => unlink(join(directory, 'file')),
  'a directory gets an entry': (directory) => writeFile(join(directory, 'inside/new'), ''),
  'a link leads elsewhere': async (directory) => {
    await symlink('elsewhere', join(directory, 'link.new'))
    await rename(join(directory, 'link.new'), join(directory, 'link'))
  },
}

async function describeDirectory(fs: FileSystem, directory: string): Promise<unknown> {
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = await readFileIfThere(fs, join(directory, name))
    return bytes && Buffer.from(bytes).toString()
  }
  return {
    file: await read('file'),
    absent: await read('absent'),
    link: await fs.readlink(join(directory, 'link')),
    inside: await fs.readdir(join(directory, 'inside')),
  }
}

describe('a watched value', () => {
  test('computes from what the file system itself would say, failures included', async () => {
    const directory = scratch.fresh('said')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'file'), 'one')
    await symlink('file', join(directory, 'link'))
    await symlink('circle', join(directory, 'circle'))
    const say = (fs: FileSystem): Promise<unknown[]> => {
      const asked = ['file', 'link', 'absent', 'circle'].flatMap((name) => {
        const path = join(directory, name)
        return [fs.realpath(path), fs.stat(path), fs.lstat(path), fs.stat(path, { bigint: true })]
      })
      const told = (answer: unknown): unknown =>
        typeof answer === 'object' && answer !== null && 'ino' in answer
          ? [answer.ino, 'mtimeMs' in answer && answer.mtimeMs]
          : answer
      const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code
      return Promise.all(asked.map((answer) => answer.then(told, codeOf)))
    }
    const said = await new WatchedValue(localFileSystem, say).read()
    expect(said).toEqual(await say(localFileSystem))
    expect(said).toContain('ENOENT')
    expect(said).toContain('ELOOP')
  })

  test('is what is there now, however soon after a change, and computed only when something changed', async () => {
    const made = Object.entries(CHANGES).map(([name, change]) => {
      const directory = scratch.fresh('watched')
      let computed = 0
      const value = new WatchedValue(localFileSystem, (fs) => {
        computed++
        return describeDirectory(fs, directory)
      })
      return { name, directory, value, computed: () => computed, change: () => change(directory) }
    })
    for (const { directory, value, change } of made) {
      for (let round = 0; round < 2; round++) {
        await rm(directory, { recursive: true, force: true })
        await mkdir(join(directory, 'inside'), { recursive: true })
        await writeFile(join(directory, 'file'), 'one')
        await symlink('file', join(directory, 'link'))
        expect(await value.read()).toEqual({ file: 'one', absent: undefined, link: 'file', inside: [] })
        if (round === 0) await change()
        expect(await value.read()).toEqual(await describeDirectory(localFileSystem, directory))
      }
    }
    await settle()
    for (const { name, directory, value, computed, change } of made) {
      const before = await value.read()
      const count = computed()
      expect(await value.read(), name).toBe(before)
      expect(computed(), name).toBe(count)
      await change()
      expect(await value.read(), name).not.toEqual(before)
      expect(await value.read(), name).toEqual(await describeDirectory(localFileSystem, directory))
    }
  })

  test('is computed every time on another file system', async () => {
    let computed = 0
    const value = new WatchedValue({ ...localFileSystem }, () => Promise.resolve(++computed))
    expect([await value.read(), await value.read()]).toEqual([1, 2])
  })
})

describe('a repository that rests', () => {
  async function openAtRest(): Promise<{ bare: BareFixture; storage: RepositoryStorage }> {
    const bare = await makeBare()
    await bare.git('update-ref', 'refs/heads/a', bare.ids[0] ?? '')
    await bare.git('repack', '-adq')
    const opened = await openBareRepository(bare.path)
    if (opened === undefined) throw new Error('no repository')
    await settle()
    return { bare, storage: opened }
  }

  test('gives out the same lists, and new ones at once when git changes it', async () => {
    const { bare, storage } = await openAtRest()
    const refs = await storage.listRefs('refs/')
    expect(await storage.listRefs('refs/')).toBe(refs)
    const names = async (): Promise<string[]> => (await storage.listRefs('refs/')).map(({ name }) => name)
    await bare.git('update-ref', 'refs/heads/b', bare.ids[1] ?? '')
    expect(await names()).toContain('refs/heads/b')
    await bare.git('update-ref', 'refs/heads/deep/er', bare.ids[1] ?? '')
    expect(await names()).toContain('refs/heads/deep/er')
    await bare.git('pack-refs', '--all')
    expect(await names()).toEqual(expect.arrayContaining(['refs/heads/b', 'refs/heads/deep/er']))
    await bare.git('update-ref', '-d', 'refs/heads/b')
    expect(await names()).not.toContain('refs/heads/b')
  })

  test('sees HEAD, packs, config and the shallow file change', async () => {
    const { bare, storage } = await openAtRest()
    const packs = await storage.listPacks()
    expect(await storage.listPacks()).toBe(packs)
    await storage.readRefs(['HEAD'])
    await storage.readConfig()
    await storage.readShallow()
    await bare.git('symbolic-ref', 'HEAD', 'refs/heads/elsewhere')
    expect((await storage.readRefs(['HEAD']))[0]?.target).toEqual({
      kind: 'symbolic',
      target: 'refs/heads/elsewhere',
    })
    await bare.git('update-ref', 'refs/heads/more', bare.ids[1] ?? '')
    await bare.git('repack', '-adfq')
    expect((await storage.listPacks()).map(({ name }) => name)).not.toEqual(packs.map(({ name }) => name))
    await bare.git('config', 'http.receivepack', 'true')
    expect(await storage.readConfig()).toContain('receivepack')
    await writeFile(join(bare.path, 'shallow'), `${bare.ids[0] ?? ''}\n`)
    expect(await storage.readShallow()).toEqual([bare.ids[0]])
    await rm(join(bare.path, 'shallow'))
    expect(await storage.readShallow()).toEqual([])
  })

  test('sees that a pack was freshened, though its directory did not change', async () => {
    const { storage } = await openAtRest()
    const [before] = await storage.listPacks()
    await storage.freshenPacks([before?.name ?? ''])
    const [freshened] = await storage.listPacks()
    expect(freshened?.modified).toBeGreaterThan(before?.modified ?? Infinity)
  })
})
