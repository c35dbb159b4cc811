import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { storageConformance } from '../../src/storage/conformance/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import type { RepositoryStorage, StorageCommit } from '../../src/storage/repository-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { StagedFile, StoredFile } from '../../src/storage/stored-file.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** A storage whose repositories differ in what `change` returns. */
function changeRepositories(change: (repository: RepositoryStorage) => Partial<RepositoryStorage>): Storage {
  const storage = createMemoryStorage()
  const changed = (repository: RepositoryStorage): RepositoryStorage => ({
    ...repository,
    ...change(repository),
  })
  return {
    ...storage,
    create: async (key, options) => changed(await storage.create(key, options)),
    open: async (key) => {
      const repository = await storage.open(key)
      return repository && changed(repository)
    },
  }
}

/** A storage whose committed files differ in how they read. */
function changeFiles(read: (file: StoredFile) => StoredFile['read']): Storage {
  return changeRepositories((repository) => ({
    openPackFile: async (name, kind) => {
      const file = await repository.openPackFile(name, kind)
      return { ...file, read: read(file) }
    },
  }))
}

function changeCommits(
  commit: (repository: RepositoryStorage, step: StorageCommit) => ReturnType<RepositoryStorage['commit']>,
): Storage {
  return changeRepositories((repository) => ({ commit: (step) => commit(repository, step) }))
}

/** Faults that real adapters have had or nearly had, and the case that must notice. */
const FAULTS: readonly (readonly [fault: string, noticedBy: string, createStorage: () => Storage])[] = [
  [
    'listing ends with the first page',
    'listing goes through many pages',
    () => {
      const storage = createMemoryStorage()
      return { ...storage, list: async (options) => ({ keys: (await storage.list(options)).keys }) }
    },
  ],
  [
    'creating replaces',
    'a key is created once',
    () => {
      const storage = createMemoryStorage()
      const create: Storage['create'] = async (key, options) => {
        await storage.delete(key).catch(() => false)
        return storage.create(key, options)
      }
      return { ...storage, create }
    },
  ],
  [
    'deleting forgets nothing',
    'a deleted repository is gone',
    () => ({ ...createMemoryStorage(), delete: () => Promise.resolve(true) }),
  ],
  [
    'a writer keeps the chunks that it was given',
    'a large file is written from one buffer',
    () =>
      changeRepositories((repository) => ({
        createFile: async (kind) => {
          const writer = await repository.createFile(kind)
          const chunks: Uint8Array[] = []
          const finish = async (): Promise<StagedFile> => {
            await writer.write(concatBytes(chunks))
            return writer.finish()
          }
          const write = (chunk: Uint8Array): Promise<void> => {
            chunks.push(chunk)
            return Promise.resolve()
          }
          return { ...writer, write, finish }
        },
      })),
  ],
  [
    'ranges are cut to what is there',
    'ranges that are not within the file',
    () =>
      changeFiles(
        (file) => (ranges) =>
          file.read(
            ranges.map(({ offset, length }) => {
              const start = Math.min(Math.max(offset, 0), file.size)
              return { offset: start, length: Math.min(Math.max(length, 0), file.size - start) }
            }),
          ),
      ),
  ],
  [
    'the list of shallow commits is dropped',
    'a commit changes the list of shallow commits',
    () =>
      changeCommits((repository, step) =>
        repository.commit({
          addPacks: step.addPacks ?? [],
          refs: step.refs ?? [],
          atomic: step.atomic ?? false,
        }),
      ),
  ],
  [
    'the list of shallow commits is replaced by one that was computed before',
    'changes of the list of shallow commits that are made at the same time',
    () =>
      changeCommits(async (repository, step) => {
        const { shallow, ...rest } = step
        if (shallow === undefined) return repository.commit(step)
        const before = await repository.readShallow()
        const result = await repository.commit(rest)
        const now = new Set(await repository.readShallow())
        for (const id of before) now.delete(id)
        const add = [...before.filter((id) => !shallow.remove.includes(id)), ...shallow.add]
        await repository.commit({ shallow: { add, remove: [...now, ...shallow.remove] } })
        return result
      }),
  ],
  [
    'packs lose the mark of those whose remote promised the rest',
    'a pack says that it comes from a remote that promised the rest',
    () =>
      changeCommits((repository, step) => {
        const addPacks = (step.addPacks ?? []).map(({ name, pack, index }) => ({ name, pack, index }))
        return repository.commit({ ...step, addPacks })
      }),
  ],
  [
    'shallow commits change although nothing else does',
    'the list of shallow commits stays when every edit is rejected',
    () =>
      changeCommits(async (repository, step) => {
        const { shallow, ...rest } = step
        const result = await repository.commit(rest)
        if (shallow !== undefined) await repository.commit({ shallow })
        return result
      }),
  ],
  [
    'expectations are ignored',
    'an ordinary edit is applied exactly when',
    () =>
      changeCommits((repository, step) => {
        const refs = (step.refs ?? []).map((edit) => ({ ...edit, expect: { kind: 'any' } as const }))
        return repository.commit({ ...step, refs })
      }),
  ],
  [
    'atomic is ignored',
    'one rejected edit takes an atomic commit with it',
    () => changeCommits((repository, step) => repository.commit({ ...step, atomic: false })),
  ],
  [
    'everything is atomic',
    'in an ordinary commit each edit stands alone',
    () => changeCommits((repository, step) => repository.commit({ ...step, atomic: true })),
  ],
  [
    'comparing and swapping are two steps',
    'of fifty ordinary compare-and-swaps',
    () =>
      changeCommits(async (repository, step) => {
        const [edit] = step.refs ?? []
        if (edit?.expect.kind !== 'id') return repository.commit(step)
        const [ref] = await repository.readRefs([edit.name])
        await nextTurn()
        const fits = ref?.target.kind === 'direct' && ref.target.id === edit.expect.id
        return repository.commit(fits ? { ...step, refs: [{ ...edit, expect: { kind: 'any' } }] } : step)
      }),
  ],
  [
    'packs are committed before refs are judged',
    'when every edit is rejected no pack appears',
    () =>
      changeCommits(async (repository, { refs = [], ...packs }) => {
        await repository.commit(packs)
        return repository.commit({ refs })
      }),
  ],
  [
    'refs move before their packs appear',
    'whoever sees a ref sees the packs',
    () =>
      changeCommits(async (repository, { refs = [], ...packs }) => {
        const result = await repository.commit({ refs })
        await nextTurn()
        await repository.commit(packs)
        return result
      }),
  ],
  [
    'an atomic commit goes ref by ref',
    'an atomic commit is seen whole or not at all',
    () =>
      changeCommits(async (repository, step) => {
        const outcomes = []
        for (const edit of step.refs ?? []) {
          outcomes.push(...(await repository.commit({ refs: [edit] })).refs)
          await nextTurn()
        }
        return { refs: outcomes, packsCommitted: true }
      }),
  ],
  [
    'a pack of the same name is replaced',
    'a pack that is added again keeps its old bytes',
    () =>
      changeCommits(async (repository, step) => {
        await repository.commit({ dropPacks: (step.addPacks ?? []).map((pack) => pack.name) })
        return repository.commit(step)
      }),
  ],
  [
    'refs are listed in the order of UTF-16',
    'refs are listed by prefix, in the order of their UTF-8 bytes',
    () =>
      changeRepositories((repository) => ({
        listRefs: async (prefix) =>
          (await repository.listRefs(prefix)).toSorted((left, right) => (left.name < right.name ? -1 : 1)),
      })),
  ],
  [
    'HEAD is listed among refs',
    'HEAD can name another branch',
    () =>
      changeRepositories((repository) => ({
        listRefs: async (prefix) =>
          [
            ...(await repository.readRefs(['HEAD'])).filter((ref) => ref?.name.startsWith(prefix) === true),
            ...(await repository.listRefs(prefix)),
          ] as Awaited<ReturnType<RepositoryStorage['listRefs']>>,
      })),
  ],
  [
    'a handle remembers the refs it has listed',
    'what a commit wrote is seen by every read',
    () =>
      changeRepositories((repository) => {
        const listed = new Map<string, ReturnType<RepositoryStorage['listRefs']>>()
        return {
          listRefs: (prefix) => {
            const known = listed.get(prefix) ?? repository.listRefs(prefix)
            listed.set(prefix, known)
            return known
          },
        }
      }),
  ],
]

describe('the conformance suite notices when', () => {
  for (const [fault, noticedBy, createStorage] of FAULTS) {
    test(fault, async () => {
      const cases = storageConformance({ createStorage: () => Promise.resolve(createStorage()) })
      const noticing = cases.filter((one) => one.name.startsWith(noticedBy))
      expect(noticing).toHaveLength(1)
      await expect(noticing[0]!.run()).rejects.toThrow(/expected|must|saw|not/)
    })
  }
})

describe('the conformance suite', () => {
  const cases = storageConformance({ createStorage: () => Promise.resolve(createMemoryStorage()) })

  test('names each promise once', () => {
    expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length)
  })

  test('leaves out persistence and object formats that the adapter does not have', () => {
    const createStorage = (): Promise<Storage> => Promise.resolve(createMemoryStorage())
    const reopen = (storage: Storage): Promise<Storage> => Promise.resolve(storage)
    expect(storageConformance({ createStorage, reopen }).length).toBeGreaterThan(cases.length)
    expect(storageConformance({ createStorage, objectFormats: ['sha1'] })).toHaveLength(cases.length - 1)
  })

  test('disposes of every storage, and clean-up never hides why a case failed', async () => {
    let disposed = 0
    const broken: Storage = {
      ...createMemoryStorage(),
      create: () => Promise.reject(new Error('broken create')),
    }
    const [first] = storageConformance({
      createStorage: () => Promise.resolve(broken),
      dispose: () => {
        disposed++
        return Promise.reject(new Error('broken dispose'))
      },
    })
    await expect(first!.run()).rejects.toThrow('broken create')
    expect(disposed).toBe(1)
  })
})
