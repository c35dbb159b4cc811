import { encodeHex } from '../../bytes/hex.ts'
import { yieldToHost } from '../../bytes/yield-to-host.ts'
import type { Codecs } from '../../codec/ports.ts'
import { GitError } from '../../errors.ts'
import type { RawObject } from '../../object/object-reader.ts'
import { encodeEntry } from '../encode-entry.ts'
import { encodePackIndex } from '../encode-pack-index.ts'
import { PackIndex } from '../pack-index.ts'
import type { ProgressListener } from '../progress.ts'
import { ReachabilityBuilder } from '../reachability/reachability-builder.ts'
import { DeltaResolver } from './delta-resolver.ts'
import { unresolvedDeltas } from './entry-error.ts'
import type { RangeReader } from './file-window.ts'
import { ObjectIntake, type ObjectIntakeOptions } from './object-intake.ts'
import type { PackIndexing } from './pack-indexing.ts'
import { PackScanner, type ScannedPack } from './pack-scanner.ts'
import { WaitingDeltas } from './waiting-deltas.ts'

/** Bytes of work between two turns of the host: some ten milliseconds. */
const TURN = 8 << 20
/** The most of the pack that is looked at together while it is scanned. */
const MAX_SCAN_WINDOW = 1 << 20
/** What reads may leave behind, in bytes, where the file does not say how much one reads best. */
const MOST_LEFT = 16 << 20
/** The least memory that indexing is planned for. */
const MIN_MEMORY = 1 << 15

/** What windowed indexing is told. */
export interface WindowedIndexOptions extends Omit<ObjectIntakeOptions, 'reachability'> {
  readonly codecs: Codecs
  /**
   * Memory for parts of the pack and for inflated objects, in bytes. On top come some 41 bytes an object, as many again with
   * reachability, and the index; and a commit, tree or tag, or an object that is stored as a delta together with its base, where
   * these are larger than the memory given; and six times what one call reads best of a file whose reads are dear.
   */
  readonly memoryBytes: number
  /** Also write down what points at what, see {@link PackIndexing.reachability}. */
  readonly reachability?: boolean
  /** Told the object count that the pack's header claims, before anything is taken for it. May throw. */
  readonly onHeader?: (objectCount: number) => void
  readonly onProgress?: ProgressListener
  readonly signal?: AbortSignal
  /** Called when large tables or much of what was read were let go. */
  readonly collectGarbage?: () => void
}

/**
 * Indexes a pack of any size within a given amount of memory: verifies every byte and finds every object's id, with the results and the
 * errors of the resident form. Two passes: the pack streams by while it is stored, then deltas are resolved from the stored file.
 *
 * Use: `push` for every chunk, `endScan`, `resolve`; for each of `missingBases` that somebody has `addBase`; `finish`.
 */
export class WindowedIndexer {
  readonly #options: WindowedIndexOptions
  /** These two until `finish` lets them go. */
  #reachability: ReachabilityBuilder | undefined
  #intake: ObjectIntake
  #scanner: PackScanner | undefined
  #pack: ScannedPack | undefined
  #resolver: DeltaResolver | undefined
  #sinceTurn = 0
  #addedBytes = 0

  constructor(options: WindowedIndexOptions) {
    const { format, codecs, onHeader } = options
    const memoryBytes = Math.max(options.memoryBytes, MIN_MEMORY)
    this.#options = { ...options, memoryBytes }
    const { reachability: isWanted, ...intake } = options
    const reachability = isWanted === true ? new ReachabilityBuilder(format) : undefined
    this.#reachability = reachability
    this.#intake = new ObjectIntake(reachability === undefined ? intake : { ...intake, reachability })
    const windowBytes = Math.min(memoryBytes / 8, MAX_SCAN_WINDOW)
    this.#scanner = new PackScanner({
      format,
      codecs,
      intake: this.#intake,
      windowBytes,
      heldBytes: Math.floor(windowBytes / 2),
      onHeader: (count) => {
        onHeader?.(count)
        reachability?.expect(count)
      },
      createWaiting: (table) => new WaitingDeltas(format.idLength, table),
    })
  }

  /**
   * Takes the next bytes of the pack, which may change afterwards.
   *
   * @throws GitError `CORRUPT_PACK`, `UNSUPPORTED`, `LIMIT_EXCEEDED`; what the visitor throws
   */
  push(chunk: Uint8Array): void {
    this.#scanning().push(chunk)
  }

  /** Reports how far the scan is, and lets others run, when enough was pushed since the last time. */
  async turn(pushed: number): Promise<void> {
    this.#sinceTurn += pushed
    if (this.#sinceTurn < TURN) return
    this.#sinceTurn = 0
    const { objectCount, declaredCount } = this.#scanning()
    this.#options.onProgress?.({ phase: 'receiving', done: objectCount, total: declaredCount })
    await this.#yield()
  }

  /** Ends the first pass, when all of the pack was pushed. */
  endScan(): void {
    this.#pack = this.#scanning().end()
    this.#scanner = undefined
  }

  #scanning(): PackScanner {
    if (this.#scanner !== undefined) return this.#scanner
    throw new GitError('INVALID_ARGUMENT', 'the pack was scanned to its end already')
  }

  #scanned(): ScannedPack {
    if (this.#pack !== undefined) return this.#pack
    throw new GitError('INVALID_ARGUMENT', 'the pack was not scanned to its end yet, or indexing is over')
  }

  /**
   * Resolves the deltas whose base is in the pack. `file` holds what was pushed, and is read until the last `addBase`.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`; what the visitor throws; the signal's reason
   */
  async resolve(file: RangeReader): Promise<void> {
    const pack = this.#scanned()
    const { codecs, memoryBytes, onProgress, collectGarbage } = this.#options
    const total = pack.deltaCount
    if (total === 0) return
    // What the scan and the writing of the file took makes room for what is read.
    collectGarbage?.()
    const resolver = new DeltaResolver(tidyReader(file, collectGarbage), pack, {
      codecs,
      intake: this.#intake,
      // The more is kept of what calls read, the fewer there are, where they are dear.
      windowBytes: Math.max(memoryBytes / 2, 3 * (file.readBytes ?? 0)),
      pathBytes: Math.floor(memoryBytes / 2),
      turnBytes: TURN,
      turn: async () => {
        onProgress?.({ phase: 'resolving', done: resolver.resolvedCount, total })
        await this.#yield()
      },
    })
    this.#resolver = resolver
    await resolver.resolve()
  }

  async #yield(): Promise<void> {
    await yieldToHost()
    this.#options.signal?.throwIfAborted()
  }

  /** Ids of bases that deltas of this pack need and that it does not have (a thin pack). Raw copies. */
  missingBases(): Uint8Array[] {
    return this.#scanned().waiting.missing()
  }

  /** Whether deltas still wait for this base. */
  isWanted(id: Uint8Array): boolean {
    return this.#scanned().waiting.isWanted(id)
  }

  /**
   * Completes a thin pack: adds an object that is in the store, and resolves what waits for it.
   *
   * @returns the entry, which has to be stored behind those of the pack.
   */
  async addBase(id: Uint8Array, { type, body }: RawObject): Promise<Uint8Array> {
    const { table, entriesEnd } = this.#scanned()
    const { codecs } = this.#options
    table.ensureRow(table.count + 1)
    const row = table.count
    const entry = encodeEntry(type, body, codecs.deflate)
    table.offsets[row] = entriesEnd + this.#addedBytes
    table.crcs[row] = codecs.crc32.update(0, entry, 0, entry.length)
    table.ids.set(id, row * table.idLength)
    table.setStoredType(row, type)
    table.count++
    this.#addedBytes += entry.length
    this.#reachability?.add(row, type, body, 0, body.length, -1, 0, 0)
    await this.#resolver?.resolveUnder(row, body)
    return entry
  }

  /**
   * Ends the work: checks that every delta was resolved, and encodes the index. Everything else that was kept is let go.
   *
   * @param completed the raw trailer of the pack with the bases that were added; the pack's own where none were.
   * @throws GitError `MISSING_BASE` when deltas are left whose base nobody has.
   */
  finish(completed?: Uint8Array): PackIndexing {
    const { format, collectGarbage } = this.#options
    const indexed = this.#encodeIndex(completed)
    // The index has it all now: the columns make room for what comes next.
    this.#pack = undefined
    this.#resolver = undefined
    collectGarbage?.()
    const packIndex = new PackIndex(indexed.index, format.idLength)
    const reachability = this.#reachability?.encode(packIndex)
    this.#reachability = undefined
    this.#intake = new ObjectIntake({ format })
    collectGarbage?.()
    return { ...indexed, packIndex, reachability }
  }

  #encodeIndex(completed: Uint8Array | undefined): Omit<PackIndexing, 'packIndex' | 'reachability'> {
    const { table, storedCount, deltaCount, checksum: own } = this.#scanned()
    this.assertResolved()
    const { format, onProgress } = this.#options
    const checksum = completed ?? own
    if (deltaCount > 0) onProgress?.({ phase: 'resolving', done: deltaCount, total: deltaCount })
    const { count: objectCount, ids, crcs, offsets } = table
    const index = encodePackIndex({ objectCount, ids, crcs, offsets }, checksum, format)
    return { objectCount, deltaCount, addedCount: objectCount - storedCount, index, checksum }
  }

  /** @throws GitError `MISSING_BASE` when deltas are left whose base nobody has. */
  assertResolved(): void {
    const { deltaCount, waiting } = this.#scanned()
    const unresolved = deltaCount - (this.#resolver?.resolvedCount ?? 0)
    if (unresolved === 0) return
    const [base] = waiting.missing()
    throw unresolvedDeltas(unresolved, base === undefined ? undefined : encodeHex(base))
  }
}

/** The file; what its reads leave behind is given back before it becomes much. */
function tidyReader(file: RangeReader, collectGarbage: (() => void) | undefined): RangeReader {
  if (collectGarbage === undefined) return file
  const most = file.readBytes ?? MOST_LEFT
  let left = 0
  return {
    size: file.size,
    ...(file.readBytes === undefined ? {} : { readBytes: file.readBytes }),
    read: async (ranges) => {
      const bytes = ranges.reduce((sum, { length }) => sum + length, 0)
      if (left + bytes > most) {
        left = 0
        collectGarbage()
      }
      left += bytes
      return file.read(ranges)
    },
  }
}

/**
 * Indexes a pack that is stored and complete in itself, within a given amount of memory.
 *
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `UNSUPPORTED`, `LIMIT_EXCEEDED`; what the visitor throws; the signal's reason
 */
export async function indexStoredPack(
  file: RangeReader,
  options: WindowedIndexOptions,
): Promise<PackIndexing> {
  const indexer = new WindowedIndexer(options)
  const step = Math.max(MIN_MEMORY, Math.min(MAX_SCAN_WINDOW, Math.floor(options.memoryBytes / 8)))
  for (let offset = 0; offset < file.size; offset += step) {
    options.signal?.throwIfAborted()
    const [chunk] = await file.read([{ offset, length: Math.min(step, file.size - offset) }])
    if (chunk === undefined) break
    indexer.push(chunk)
    await indexer.turn(chunk.length)
  }
  indexer.endScan()
  await indexer.resolve(file)
  return indexer.finish()
}
