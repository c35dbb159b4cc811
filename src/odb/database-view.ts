import type { Codecs } from '../codec/ports.ts'
import { GitError, isGitError } from '../errors.ts'
import { ReachabilitySet } from '../graph/reachability-set.ts'
import { IdTable } from '../object/id-table.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import { encodeObjectId, type ObjectId } from '../object/object-id.ts'
import type { RawObject } from '../object/object-reader.ts'
import type { ObjectType } from '../object/object-type.ts'
import type { KeptPacks } from './kept-packs.ts'
import type { KnownRequests } from './known-requests.ts'
import { parseLooseObject } from './loose-object.ts'
import type { ObjectDatabase } from './object-database.ts'
import type { ObjectLocation, ObjectView } from './object-view.ts'
import { isReachable, type PackFile, type ReachablePackFile } from './pack-file.ts'

/** Loose objects read at the same time. */
const LOOSE_CONCURRENCY = 16
/** Up to so many ids are tried to be read as loose objects at once; of more it is asked first which are there. */
const LOOSE_READS = 64
/** How often a pack that is listed and cannot be opened is tried, before the store is taken to contradict itself. */
const OPEN_ATTEMPTS = 3
/** The largest loose object that is read into memory. */
const MAX_LOOSE_SIZE = 0x7fffff00

/** The {@link ObjectView} over an {@link ObjectDatabase}. */
export class DatabaseView implements ObjectView {
  readonly format: ObjectFormat
  readonly codecs: Codecs
  readonly keptPacks: KeptPacks
  readonly requests: KnownRequests
  readonly shallow: ReadonlySet<ObjectId>
  reachability: ReachabilitySet<ReachablePackFile>
  readonly #database: ObjectDatabase
  #packs: readonly PackFile[]
  /** The pack that had the last object: the next one is likely there too. */
  #recent: PackFile | undefined
  /** Ids that no pack has, by ordinal of `#outside`: the loose object, `null` for absent, `undefined` for not looked up yet. */
  readonly #outside: IdTable
  readonly #found: (RawObject | null | undefined)[] = []
  #wanted: number[] = []
  #closed = false

  constructor(
    database: ObjectDatabase,
    packs: readonly PackFile[],
    shallow: ReadonlySet<ObjectId>,
    reachability: ReachabilitySet<ReachablePackFile>,
  ) {
    this.format = database.format
    this.codecs = database.codecs
    this.keptPacks = database.memory.caches.packs
    this.requests = database.memory.caches.requests
    this.shallow = shallow
    this.#database = database
    this.#packs = packs
    this.#outside = new IdTable(database.format.idLength, 64, 'named')
    this.reachability = reachability
    database.acquire(packs)
  }

  get packs(): readonly PackFile[] {
    return this.#packs
  }

  locate(id: Uint8Array, at = 0): ObjectLocation | undefined {
    const recent = this.#recent
    if (recent !== undefined) {
      const rank = recent.find(id, at)
      if (rank >= 0) return { pack: recent, rank }
    }
    for (const pack of this.#packs) {
      if (pack === recent) continue
      const rank = pack.find(id, at)
      if (rank >= 0) {
        this.#recent = pack
        return { pack, rank }
      }
    }
    return undefined
  }

  tryRead(id: Uint8Array): RawObject | null | undefined {
    const location = this.locate(id)
    if (location !== undefined) return location.pack.tryRead(location.rank)
    return this.#tryOutside(id)
  }

  tryType(id: Uint8Array): ObjectType | null | undefined {
    const location = this.locate(id)
    if (location !== undefined) return location.pack.tryType(location.rank)
    const object = this.#tryOutside(id)
    return object === null ? null : object?.type
  }

  trySize(id: Uint8Array): number | null | undefined {
    const location = this.locate(id)
    if (location !== undefined) return location.pack.trySize(location.rank)
    const object = this.#tryOutside(id)
    return object === null ? null : object?.body.length
  }

  tryHas(id: Uint8Array): boolean | undefined {
    if (this.locate(id) !== undefined) return true
    const object = this.#tryOutside(id)
    return object === undefined ? undefined : object !== null
  }

  #tryOutside(id: Uint8Array): RawObject | null | undefined {
    const ordinal = this.#outside.add(id)
    const object = this.#found[ordinal]
    if (object === undefined) this.#wanted.push(ordinal)
    return object
  }

  async settle(): Promise<void> {
    if (this.#closed) throw new GitError('INVALID_ARGUMENT', 'this view of the object database is closed')
    const wanted = [...new Set(this.#wanted)]
    this.#wanted = []
    await Promise.all(this.#packs.filter((pack) => pack.data.wanting).map((pack) => this.#settlePack(pack)))
    if (wanted.length > 0) await this.#settleOutside(wanted)
  }

  async #settlePack(pack: PackFile): Promise<void> {
    try {
      await pack.data.settle()
    } catch (error) {
      await this.#replaceGone(pack, error)
    }
  }

  async pin(pack: PackFile): Promise<boolean> {
    try {
      await pack.data.file()
      return true
    } catch (error) {
      await this.#replaceGone(pack, error)
      return false
    }
  }

  /**
   * A pack was deleted before it was opened (a repack by somebody else): its objects are in another one now, or it came back under
   * its name.
   */
  async #replaceGone(pack: PackFile, error: unknown): Promise<void> {
    let cause = error
    for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
      if (!isGitError(cause, 'NOT_FOUND')) throw cause
      const listed = await this.#database.refresh()
      if (!listed.includes(pack)) {
        await this.#adopt(listed, pack)
        return
      }
      try {
        await pack.data.file()
        return
      } catch (again) {
        cause = again
      }
    }
    throw new GitError('STORAGE', `pack ${pack.name} is listed and cannot be opened`, {
      details: { pack: pack.name },
      cause,
    })
  }

  async #settleOutside(wanted: readonly number[]): Promise<void> {
    const { loose } = this.#database.storage
    const absent: number[] = []
    const queue = await this.#findLoose(wanted, absent)
    const worker = async (): Promise<void> => {
      for (let ordinal = queue.pop(); ordinal !== undefined; ordinal = queue.pop()) {
        if (this.#found[ordinal] !== undefined) continue
        const file = await loose?.read(this.#outside.id(ordinal))
        if (file === undefined) absent.push(ordinal)
        else this.#found[ordinal] = this.#parseLoose(file, ordinal)
      }
    }
    await Promise.all(Array.from({ length: loose === undefined ? 1 : LOOSE_CONCURRENCY }, worker))
    if (absent.length === 0) return
    await this.#adopt(await this.#database.refresh())
    for (const ordinal of absent) {
      if (this.locate(this.#outside.view(ordinal)) === undefined) this.#found[ordinal] = null
    }
  }

  /** Those of the ids that may be loose objects; the others go to `absent`. */
  async #findLoose(wanted: readonly number[], absent: number[]): Promise<number[]> {
    const { loose } = this.#database.storage
    if (loose === undefined || wanted.length <= LOOSE_READS) return [...wanted]
    const { idLength } = this.format
    const ids = new Uint8Array(wanted.length * idLength)
    wanted.forEach((ordinal, at) => {
      ids.set(this.#outside.view(ordinal), at * idLength)
    })
    const isThere = await loose.hasMany(ids)
    for (const [at, ordinal] of wanted.entries()) if (isThere[at] === 0) absent.push(ordinal)
    return wanted.filter((_, at) => isThere[at] !== 0)
  }

  #parseLoose(file: Uint8Array, ordinal: number): RawObject {
    try {
      return parseLooseObject(file, this.#database.codecs, MAX_LOOSE_SIZE)
    } catch (error) {
      const id = encodeObjectId(this.#outside.view(ordinal), 0, this.format)
      throw new GitError('CORRUPT_OBJECT', `loose object ${id} is corrupt`, { details: { id }, cause: error })
    }
  }

  /** Adds packs that appeared since this view was opened, and leaves out one that is known to be gone. */
  async #adopt(listed: readonly PackFile[], gone?: PackFile): Promise<void> {
    // Those that take its place are walked as it was.
    if (gone !== undefined && isReachable(gone)) await this.#database.recall(listed)
    if (this.#closed) return
    const added = listed.filter((pack) => !this.#packs.includes(pack))
    const held = gone !== undefined && this.#packs.includes(gone)
    if (added.length === 0 && !held) return
    this.#database.acquire(added)
    this.#packs = [...this.#packs.filter((pack) => pack !== gone), ...added]
    if (this.#recent === gone) this.#recent = undefined
    if (!held) return
    if (isReachable(gone)) this.reachability = ReachabilitySet.of(this.#packs.filter(isReachable))
    await this.#database.release([gone])
  }

  describePacks(): void {
    this.#database.describePacks()
  }

  describeAll(): Promise<void> {
    return this.#database.describeAll()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const packs = this.#packs
    this.#packs = []
    await this.#database.release(packs)
  }
}
