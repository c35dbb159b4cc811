import { SharedLru } from '../bytes/shared-lru.ts'
import type { Codecs } from '../codec/ports.ts'
import { isGitError } from '../errors.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import type { RawObject } from '../object/object-reader.ts'
import { PackIndex } from '../pack/pack-index.ts'
import type { PackDescription, RepositoryStorage } from '../storage/repository-storage.ts'
import { CachedFile } from './cached-file.ts'
import { DatabaseView } from './database-view.ts'
import type { ObjectView } from './object-view.ts'
import { PackFile } from './pack-file.ts'
import { PackSet } from './pack-set.ts'

/** Memory that readers share: made at the edge, bounded in bytes, and passed to every repository that shall share it. */
export interface ObjectCaches {
  /** Blocks of stored pack files. */
  readonly blocks: SharedLru<Uint8Array>
  /** Inflated objects, as bases for deltas and for repeated reads. */
  readonly objects: SharedLru<RawObject>
}

/** Divides a budget in bytes between stored blocks and inflated objects. */
export function createObjectCaches(maxBytes: number): ObjectCaches {
  return { blocks: new SharedLru(maxBytes / 2), objects: new SharedLru(maxBytes / 2) }
}

/**
 * The object database of one repository: finds objects in packs and, where the store has them, loose files.
 *
 * The pack list is an immutable value that is replaced by reference; a reader keeps the list it began with.
 */
export class ObjectDatabase {
  readonly storage: RepositoryStorage
  readonly format: ObjectFormat
  readonly codecs: Codecs
  readonly caches: ObjectCaches
  readonly #set = new PackSet()
  #packs: readonly PackFile[] = []
  #refreshing: Promise<readonly PackFile[]> | undefined
  #next: Promise<readonly PackFile[]> | undefined

  constructor(storage: RepositoryStorage, format: ObjectFormat, codecs: Codecs, caches: ObjectCaches) {
    this.storage = storage
    this.format = format
    this.codecs = codecs
    this.caches = caches
  }

  /** Opens a view of everything that is stored now. */
  async openView(): Promise<ObjectView> {
    return this.#view([])
  }

  /** Opens a view that sees one more pack, which is in memory and which nobody else sees. */
  async openViewWith(pack: PackFile): Promise<ObjectView> {
    return this.#view([pack])
  }

  async #view(extra: readonly PackFile[]): Promise<ObjectView> {
    const [packs, shallow] = await Promise.all([this.refresh(), this.storage.readShallow()])
    return new DatabaseView(this, [...extra, ...packs], new Set(shallow))
  }

  /**
   * Reads the pack list anew and returns it, newest pack first. Calls that come while a read is under way share the next one,
   * because the one under way may have begun too early for them.
   */
  refresh(): Promise<readonly PackFile[]> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#readPacks().finally(() => {
        this.#refreshing = undefined
      })
      return this.#refreshing
    }
    this.#next ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.refresh()
      })
    return this.#next
  }

  async #readPacks(): Promise<readonly PackFile[]> {
    const listed = await this.storage.listPacks()
    const known = new Map(this.#packs.map((pack) => [pack.name, pack]))
    if (listed.length === known.size && listed.every(({ name }) => known.has(name))) return this.#packs
    const sorted = [...listed].sort((left, right) => right.modified - left.modified)
    const opened = await Promise.all(
      sorted.map(async (description) => known.get(description.name) ?? (await this.#open(description))),
    )
    const packs = opened.filter((pack) => pack !== undefined)
    const former = this.#packs
    this.#set.acquire(packs)
    this.#packs = packs
    await this.#set.release(former)
    return packs
  }

  /** Opens a listed pack; `undefined` when it went away since it was listed. */
  async #open({ name, packSize, indexSize }: PackDescription): Promise<PackFile | undefined> {
    try {
      const file = await this.storage.openPackFile(name, 'idx')
      const [bytes] = await file.read([{ offset: 0, length: indexSize }])
      await file.close()
      const index = new PackIndex(bytes!, this.format.idLength)
      const data = new CachedFile(packSize, () => this.storage.openPackFile(name, 'pack'), this.caches.blocks)
      return new PackFile(name, index, data, this.codecs, this.caches.objects)
    } catch (error) {
      if (isGitError(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  /** For views: keeps packs readable. */
  acquire(packs: readonly PackFile[]): void {
    this.#set.acquire(packs)
  }

  /** For views: the counterpart of `acquire`. */
  async release(packs: readonly PackFile[]): Promise<void> {
    await this.#set.release(packs)
  }

  /** Lets go of the pack list. Views that are open stay usable until they close. */
  async close(): Promise<void> {
    const packs = this.#packs
    this.#packs = []
    await this.#set.release(packs)
  }
}
