import { Arena } from '../../bytes/arena.ts'
import type { Codecs, HashAlgorithm } from '../../codec/ports.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { objectFormat, type ObjectFormatName } from '../../object/object-format.ts'
import type { EntryTable } from './entry-table.ts'
import { ObjectIntake } from './object-intake.ts'
import { TreeResolver, type ResolvedColumns } from './tree-resolver.ts'

/**
 * The deltas of a scanned pack in memory that threads share; it can be posted to them. Each takes the next delta tree that nobody has
 * taken and names its objects; no two write to the same row.
 */
export interface SharedResolution extends ResolvedColumns {
  readonly formatName: ObjectFormatName
  readonly maxObjectBytes: number
  readonly pack: Uint8Array
  readonly entriesEnd: number
  readonly deltas: Uint8Array
  /** Rows of whole objects that deltas lead to, those with most work first, so that all threads end at about the same time. */
  readonly roots: Int32Array
  /** How many roots were taken. */
  readonly taken: Int32Array
}

/** Threads that resolve deltas together with the one that asks them. Their codecs must be of the kind that the caller uses. */
export interface ResolverThreads {
  /** Lets all other threads work on it; resolves when they have run out of work, with whether none of them has failed. */
  resolve(shared: SharedResolution): Promise<boolean>
}

/** Copies what resolving takes into shared memory; the pack only if it is not there yet. */
export function shareResolution(
  pack: Uint8Array,
  entriesEnd: number,
  table: EntryTable,
  deltas: Uint8Array,
  intake: ObjectIntake,
): SharedResolution {
  const { count, idLength } = table
  return {
    formatName: intake.hash.name,
    maxObjectBytes: intake.maxObjectBytes,
    pack: pack.buffer instanceof SharedArrayBuffer ? pack : shared(pack),
    entriesEnd,
    deltas: shared(deltas),
    offsets: sharedDoubles(table.offsets.subarray(0, count)),
    dataAt: shared(table.dataAt.subarray(0, count)),
    sizes: new Uint32Array(sharedWords(table.sizes.subarray(0, count)).buffer),
    types: shared(table.types.subarray(0, count)),
    ids: shared(table.ids.subarray(0, count * idLength)),
    deltaAt: sharedDoubles(table.deltaAt.subarray(0, count)),
    firstChild: sharedWords(table.firstChild.subarray(0, count)),
    nextSibling: sharedWords(table.nextSibling.subarray(0, count)),
    roots: sharedWords(rootsByWork(table, deltas)),
    taken: sharedWords(new Int32Array(1)),
  }
}

/** The rows that delta trees begin at, by the bytes that come out of them. */
function rootsByWork(table: EntryTable, deltas: Uint8Array): Int32Array {
  const { count, firstChild, nextSibling, deltaAt, sizes } = table
  const header = new DeltaHeader()
  const rootOf = new Int32Array(count).fill(-1)
  const work = new Float64Array(count)
  const roots: number[] = []
  // A base comes before its deltas.
  for (let row = 0; row < count; row++) {
    if (rootOf[row]! < 0) {
      rootOf[row] = row
      if (firstChild[row]! >= 0) roots.push(row)
    } else {
      header.parse(deltas, deltaAt[row]!, deltaAt[row]! + sizes[row]!)
      work[rootOf[row]!]! += header.resultSize
    }
    for (let child = firstChild[row]!; child >= 0; child = nextSibling[child]!) rootOf[child] = rootOf[row]!
  }
  return Int32Array.from(roots).sort((left, right) => work[right]! - work[left]! || left - right)
}

/** The part of one thread in a shared resolution. */
export class ShareOfResolution {
  readonly #shared: SharedResolution
  readonly #resolver: TreeResolver
  /** Deltas that have become objects here. */
  resolvedCount = 0

  /** @param objectHash names objects instead of the codecs' own hash. */
  constructor(shared: SharedResolution, codecs: Codecs, objectHash?: HashAlgorithm) {
    const format = objectFormat(shared.formatName, codecs)
    const { pack, entriesEnd, deltas, maxObjectBytes } = shared
    this.#shared = shared
    this.#resolver = new TreeResolver({
      pack,
      entriesEnd,
      deltas,
      codecs,
      table: shared,
      intake: new ObjectIntake({ format, maxObjectBytes, objectHash: objectHash ?? format.hash }),
      work: new Arena(1 << 16),
      onNamed: () => this.resolvedCount++,
    })
  }

  /**
   * Resolves trees for about `work` bytes of results; true when none is left to take.
   *
   * @throws GitError `CORRUPT_PACK`, `LIMIT_EXCEEDED`. Nobody goes on then.
   */
  resolve(work: number): boolean {
    const { roots, taken } = this.#shared
    try {
      for (let done = 0; done <= work;) {
        const at = Atomics.add(taken, 0, 1)
        if (at >= roots.length) return true
        done += this.#resolver.resolve(roots[at]!)
      }
      return false
    } catch (error) {
      Atomics.store(taken, 0, roots.length)
      throw error
    }
  }
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

function sharedDoubles(values: Float64Array): Float64Array {
  const copy = new Float64Array(new SharedArrayBuffer(8 * values.length))
  copy.set(values)
  return copy
}

function sharedWords(values: Int32Array | Uint32Array): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(4 * values.length))
  copy.set(values)
  return copy
}
