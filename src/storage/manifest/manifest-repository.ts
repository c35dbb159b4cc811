import { GitError, isGitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { assertEventLimit } from '../event-texts.ts'
import type { PackDescription, RepositoryStorage } from '../repository-storage.ts'
import { openBucketFile } from './bucket-file.ts'
import type { BucketStore } from './bucket-store.ts'
import { createBucketFile } from './bucket-upload.ts'
import { giveAwayFiles, prepareCommit } from './commit-change.ts'
import { dropEvents, readEvents } from './events.ts'
import { collectRepository } from './garbage.ts'
import type { Manifest, ManifestPack } from './manifest.ts'
import type { ManifestChanges } from './manifest-changes.ts'
import { ownerOf, randomId } from './object-names.ts'
import { openRefs, readShallow } from './repository-parts.ts'

export interface ManifestRepositoryParts {
  readonly store: BucketStore
  readonly changes: ManifestChanges
  readonly key: string
  readonly id: string
  readonly objectFormat: ObjectFormatName
}

/** How often a manifest is read again because a file that it lists was gone. */
const READ_ATTEMPTS = 3

/**
 * Opens a repository of a bucket. Whatever is mutable is asked for by every call; a listed pack's files are opened by the manifest that
 * was read last, where that lists it: packs do not change.
 */
export function openManifestRepository(parts: ManifestRepositoryParts): RepositoryStorage {
  const { store, changes, key, id, objectFormat } = parts
  const location = `${store.location}:${key}`
  const repository = { key, id, location }
  let open = true

  const assertOpen = (): void => {
    if (!open) throw new GitError('INVALID_ARGUMENT', `${location} was closed; open it again`)
  }
  const read = async (): Promise<Manifest> => {
    assertOpen()
    const stored = await store.readManifest(key)
    if (stored?.manifest.id === id) return stored.manifest
    throw new GitError('NOT_FOUND', `${location} was deleted`)
  }
  /** Reads what a manifest leads to; again when that was collected because the manifest had become an old one meanwhile. */
  const readThrough = async <T>(work: (manifest: Manifest) => Promise<T> | T): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const manifest = await read()
      try {
        return await work(manifest)
      } catch (error) {
        if (!isGitError(error, 'NOT_FOUND') || attempt === READ_ATTEMPTS) throw error
      }
    }
  }
  const findPack = async (name: string): Promise<ManifestPack | undefined> => {
    assertOpen()
    const named = (pack: ManifestPack): boolean => pack.name === name
    const known = store.tryManifest(key)?.manifest
    const found = known?.id === id ? known.packs.find(named) : undefined
    return found ?? (await read()).packs.find(named)
  }
  const mustFindPack = async (name: string): Promise<ManifestPack> => {
    const pack = await findPack(name)
    if (pack !== undefined) return pack
    throw new GitError('NOT_FOUND', `${location} has no pack ${name}; list packs again`, {
      details: { pack: name },
    })
  }

  return {
    location,
    objectFormat,
    loose: undefined,
    maintenance: {
      async collectGarbage() {
        assertOpen()
        return collectRepository(store, id)
      },
    },

    listPacks: async () => (await read()).packs.map(describePack),

    async openPackFile(name, kind) {
      const pack = await mustFindPack(name)
      return openBucketFile({
        bucket: store.bucket,
        readAhead: store.readAhead,
        key: store.names.file(pack[kind]),
        size: kind === 'pack' ? pack.packSize : pack.indexSize,
        what: `${name}.${kind} of ${location}`,
      })
    },

    // eslint-disable-next-line @typescript-eslint/require-await -- async turns what is thrown into a rejection
    async createFile() {
      assertOpen()
      store.assertOpen()
      const name = `${id}/${randomId()}`
      const { bucket, readAhead, gracePeriod } = store
      return createBucketFile({ bucket, readAhead, name, key: store.names.file(name), gracePeriod })
    },

    async freshenPacks(names) {
      assertOpen()
      const wanted = new Set(names)
      await changes.apply(repository, (state) => {
        const { manifest } = state
        if (!manifest.packs.some(({ name }) => wanted.has(name))) return { state, result: undefined }
        const modified = Date.now()
        const packs = manifest.packs.map((pack) => (wanted.has(pack.name) ? { ...pack, modified } : pack))
        return { state: { ...state, manifest: { ...manifest, packs } }, result: undefined }
      })
    },

    async readPackMask(name) {
      const { mask } = await mustFindPack(name)
      if (mask === undefined) return undefined
      const bytes = await store.readFile(mask)
      if (bytes !== undefined) return bytes
      if ((await read()).packs.every((pack) => pack.mask !== mask)) {
        throw new GitError('NOT_FOUND', `${location} has no mask of pack ${name} any more; list packs again`)
      }
      throw new GitError('CORRUPT_INDEX', `the mask of pack ${name} of ${location} is lost`, {
        details: { pack: name },
      })
    },

    async readDerived(name, kind) {
      const pack = await findPack(name)
      if (pack === undefined) return undefined
      // What a fork derives from a pack that it shares is its own; until then it uses what its source has.
      for (const writer of new Set([id, ownerOf(pack.pack)])) {
        const object = await store.bucket.get(store.names.derived(writer, pack.pack, kind))
        if (object !== undefined && object !== 'unchanged') return object.bytes
      }
      return undefined
    },

    async writeDerived(name, kind, bytes) {
      const pack = await findPack(name)
      if (pack !== undefined) await store.bucket.put(store.names.derived(id, pack.pack, kind), bytes)
    },

    readRefs: (names) =>
      readThrough(async (manifest) => {
        const refs = await openRefs(store, manifest)
        return names.map((name) => refs.find(name))
      }),

    listRefs: (prefix) =>
      readThrough(async (manifest) => {
        const refs = (await openRefs(store, manifest)).list(prefix)
        return 'HEAD'.startsWith(prefix) ? refs.filter(({ name }) => name !== 'HEAD') : refs
      }),

    async commit(step) {
      assertOpen()
      const { change, staged } = prepareCommit(store.bucket, objectFormat, step)
      const result = await changes.apply(repository, change, staged)
      if (result.packsCommitted) giveAwayFiles(staged)
      return result
    },

    readEvents(limit) {
      assertEventLimit(limit)
      return readThrough((manifest) => readEvents(store, manifest, limit))
    },

    async dropEvents(through) {
      assertOpen()
      await changes.apply(repository, (state) => dropEvents(state, through))
    },

    readConfig: async () => (await read()).config,

    async writeConfig(config) {
      assertOpen()
      await changes.apply(repository, (state) => ({
        state: { ...state, manifest: { ...state.manifest, config } },
        result: undefined,
      }))
    },

    readShallow: () => readThrough((manifest) => readShallow(store, manifest)),

    close() {
      open = false
      return Promise.resolve()
    },
  }
}

function describePack({
  name,
  packSize,
  indexSize,
  modified,
  mask,
  promisor,
}: ManifestPack): PackDescription {
  return {
    name,
    packSize,
    indexSize,
    modified,
    ...(mask === undefined ? {} : { partial: true }),
    ...(promisor === undefined ? {} : { promisor }),
  }
}
