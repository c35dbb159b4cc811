import type { Codecs } from '../codec/ports.ts'
import { isGitError } from '../errors.ts'
import { ReachabilitySet } from '../graph/reachability-set.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import { indexStoredPack } from '../pack/indexer/windowed-indexer.ts'
import { PackMask } from '../pack/pack-mask.ts'
import { PackIndex } from '../pack/pack-index.ts'
import { PackReachability } from '../pack/reachability/pack-reachability.ts'
import type { PackDescription, RepositoryStorage } from '../storage/repository-storage.ts'
import { CachedFile } from './cached-file.ts'
import { collectedFile } from './collected-file.ts'
import { DatabaseView } from './database-view.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { ObjectView } from './object-view.ts'
import { isReachable, PackFile, type ReachablePackFile } from './pack-file.ts'
import { PackSet } from './pack-set.ts'

/** What describing a pack takes of the memory budget, at most. */
const DESCRIBING_BYTES = 16 << 20

/** How often the packs are listed again because some went away before they were opened. */
const LISTING_ATTEMPTS = 10

export interface OpenViewOptions {
  /**
   * Do not read what is written down of reachability, where it was not read before: for who reads some objects by their names and
   * walks nothing. It saves a request for each pack where the store is far away.
   */
  readonly objectsOnly?: boolean
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
  readonly memory: MemoryBudget
  readonly #set = new PackSet()
  #packs: readonly PackFile[] = []
  #reachability: ReachabilitySet<ReachablePackFile> = ReachabilitySet.of<ReachablePackFile>([])
  #refreshing: Promise<readonly PackFile[]> | undefined
  /** The description of a pack that is under way. */
  #describing: Promise<void> | undefined
  readonly #indescribable = new Set<string>()
  /** Packs of which it was read what is written down. */
  readonly #recalled = new WeakSet<PackFile>()
  readonly #recalling = new WeakMap<PackFile, Promise<void>>()
  /** What is known of packs that were committed and not listed since, by name. */
  readonly #announced = new Map<string, Pick<PackFile, 'index' | 'reachability'>>()
  readonly #closing = new AbortController()
  #next: Promise<readonly PackFile[]> | undefined

  constructor(storage: RepositoryStorage, format: ObjectFormat, codecs: Codecs, memory: MemoryBudget) {
    this.storage = storage
    this.format = format
    this.codecs = codecs
    this.memory = memory
  }

  /** Opens a view of everything that is stored now. */
  async openView({ objectsOnly = false }: OpenViewOptions = {}): Promise<ObjectView> {
    return this.#view([], undefined, objectsOnly)
  }

  /**
   * Opens a view that sees one more pack, which is in memory and which nobody else sees.
   *
   * @param shallow the commits to treat as having no parents, instead of those that the storage lists.
   */
  async openViewWith(pack: PackFile | undefined, shallow?: readonly ObjectId[]): Promise<ObjectView> {
    return this.#view(pack === undefined ? [] : [pack], shallow)
  }

  async #view(
    extra: readonly PackFile[],
    boundary?: readonly ObjectId[],
    objectsOnly = false,
  ): Promise<ObjectView> {
    const [packs, shallow] = await Promise.all([this.refresh(), boundary ?? this.storage.readShallow()])
    if (!objectsOnly) await this.recall(packs)
    let reachability = this.#reachabilityOf(packs)
    for (const pack of extra) if (isReachable(pack)) reachability = reachability.with(pack)
    return new DatabaseView(this, [...extra, ...packs], new Set(shallow), reachability)
  }

  /** What is written down of these packs; grown from the former list's where only packs were added. */
  #reachabilityOf(packs: readonly PackFile[]): ReachabilitySet<ReachablePackFile> {
    const reachable = packs.filter(isReachable)
    const former = this.#reachability
    const added = reachable.filter((pack) => !former.packs.includes(pack))
    if (former.packs.length + added.length !== reachable.length)
      this.#reachability = ReachabilitySet.of(reachable)
    else for (const pack of added) this.#reachability = this.#reachability.with(pack)
    return this.#reachability
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

  /** A pack that goes away between being listed and being opened has a successor that the list does not show: list again. */
  async #readPacks(): Promise<readonly PackFile[]> {
    for (let attempt = 1; ; attempt++) {
      const listed = await this.storage.listPacks()
      const open = new Map(this.#packs.map((pack) => [pack.name, pack]))
      const known = new Map(
        listed.map((one) => [one.name, stillAs(open.get(one.name), one)] as const).filter(isOpen),
      )
      if (listed.length === open.size && known.size === open.size) return this.#packs
      const sorted = [...listed].sort((left, right) => right.modified - left.modified)
      const opened = await Promise.all(
        sorted.map(async (description) => known.get(description.name) ?? (await this.#open(description))),
      )
      const packs = opened.filter((pack) => pack !== undefined)
      if (packs.length < listed.length && attempt < LISTING_ATTEMPTS) continue
      const former = this.#packs
      this.#set.acquire(packs)
      this.#packs = packs
      this.#announced.clear()
      await this.#set.release(former)
      return packs
    }
  }

  /** Opens a listed pack; `undefined` when it went away since it was listed. */
  async #open(description: PackDescription): Promise<PackFile | undefined> {
    const { name, packSize, indexSize, partial, promisor } = description
    try {
      const announced = this.#announced.get(name)
      const index = announced?.index ?? (await this.#readIndex(name, indexSize))
      const data = new CachedFile(
        packSize,
        async () => collectedFile(await this.storage.openPackFile(name, 'pack'), this.memory.collectGarbage),
        this.memory.caches.blocks,
      )
      const mask = partial === true ? await this.#readMask(name, index) : undefined
      const { codecs, memory } = this
      const pack = new PackFile(
        name,
        index,
        data,
        codecs,
        memory.caches.objects,
        announced?.reachability,
        mask,
      )
      pack.promisor = promisor === true
      return pack
    } catch (error) {
      if (isGitError(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async #readIndex(name: string, size: number): Promise<PackIndex> {
    const file = await this.storage.openPackFile(name, 'idx')
    const [bytes] = await file.read([{ offset: 0, length: size }])
    await file.close()
    return new PackIndex(bytes!, this.format.idLength)
  }

  /** Tells of a pack that was just committed: its index and reachability need not be read when it is listed. */
  announce({ name, index, reachability }: PackFile): void {
    this.#announced.set(name, { index, reachability })
  }

  async #readMask(name: string, index: PackIndex): Promise<PackMask | undefined> {
    const bits = await this.storage.readPackMask(name)
    return bits && new PackMask(bits, index.objectCount)
  }

  /** Reads what is written down of the reachability of packs, as far as that was not done before. */
  async recall(packs: readonly PackFile[]): Promise<void> {
    const left = packs.filter((pack) => pack.reachability === undefined && !this.#recalled.has(pack))
    await Promise.all(
      left.map((pack) => {
        const recalling = this.#recalling.get(pack) ?? this.#recall(pack)
        this.#recalling.set(pack, recalling)
        return recalling
      }),
    )
  }

  async #recall(pack: PackFile): Promise<void> {
    try {
      const reachability = await this.#readReachability(pack.name, pack.index)
      pack.reachability ??= reachability
      this.#recalled.add(pack)
    } finally {
      this.#recalling.delete(pack)
    }
  }

  /** What is written down of a pack; `undefined` when nothing is, or nothing usable: it can be built again. */
  async #readReachability(name: string, index: PackIndex): Promise<PackReachability | undefined> {
    const bytes = await this.storage.readDerived(name, 'reachability')
    if (bytes === undefined) return undefined
    try {
      return new PackReachability(bytes, index.packChecksum, index.objectCount, this.format)
    } catch (error) {
      if (isGitError(error, 'CORRUPT_INDEX')) return undefined
      throw error
    }
  }

  /**
   * Writes down the reachability of stored packs that lack it, one after the other and giving way to other work, in the background.
   * Packs that turned out to be corrupt are left alone. Idempotent.
   */
  describePacks(): void {
    if (this.#describing !== undefined) return
    const next = this.#packs.find(
      (pack) =>
        pack.reachability === undefined && this.#recalled.has(pack) && !this.#indescribable.has(pack.name),
    )
    if (next === undefined || this.#closing.signal.aborted) return
    this.#describing = this.#describe(next)
      .catch(() => {
        this.#indescribable.add(next.name)
      })
      .finally(() => {
        this.#describing = undefined
        this.describePacks()
      })
  }

  /** {@link describePacks}; resolves when what can be described is. */
  async describeAll(): Promise<void> {
    for (;;) {
      this.describePacks()
      if (this.#describing === undefined) return
      await this.#describing
    }
  }

  async #describe(pack: PackFile): Promise<void> {
    const { codecs, format } = this
    const { signal } = this.#closing
    const memory = await this.memory.work.reserve(DESCRIBING_BYTES, signal)
    this.#set.acquire([pack])
    try {
      const file = await pack.data.file()
      const { collectGarbage } = this.memory
      const indexed = await indexStoredPack(file, {
        codecs,
        format,
        signal,
        reachability: true,
        memoryBytes: memory.bytes,
        collectGarbage,
      })
      const derived = indexed.reachability!
      await this.storage.writeDerived(pack.name, 'reachability', derived)
      pack.reachability = new PackReachability(
        derived,
        pack.index.packChecksum,
        pack.index.objectCount,
        format,
      )
    } finally {
      memory.release()
      await this.#set.release([pack])
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
    this.#closing.abort()
    await this.#describing
    const packs = this.#packs
    this.#packs = []
    this.#announced.clear()
    await this.#set.release(packs)
  }
}

/** An open pack, unless its mask was taken away since: then it has to be opened anew. */
function stillAs(pack: PackFile | undefined, { partial, promisor }: PackDescription): PackFile | undefined {
  if (pack === undefined) return undefined
  const isSame = (pack.mask !== undefined) === (partial === true) && pack.promisor === (promisor === true)
  return isSame ? pack : undefined
}

function isOpen(entry: readonly [string, PackFile | undefined]): entry is readonly [string, PackFile] {
  return entry[1] !== undefined
}
