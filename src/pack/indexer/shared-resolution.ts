import { Arena } from '../../bytes/arena.ts'
import { smallInteger } from '../../bytes/small-integer.ts'
import type { Codecs, HashAlgorithm } from '../../codec/ports.ts'
import { DeltaHeader } from '../../delta/delta-header.ts'
import { objectFormat, type ObjectFormatName } from '../../object/object-format.ts'
import { isWhole } from '../entry-header.ts'
import { walkDeltaTree } from './delta-tree.ts'
import type { EntryTable } from './entry-table.ts'
import { ObjectIntake } from './object-intake.ts'
import { sharedCopy } from './shared-memory.ts'
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
  /** Rows of the whole objects to begin at, those with most work first, so that all threads end at about the same time. */
  readonly roots: Int32Array
  /** How many roots were taken. */
  readonly taken: Int32Array
  /** How many threads take part, that of who asks included. */
  readonly joined: Int32Array
}

/** A scanned pack, all of it in shared memory. */
export interface Unresolved extends Pick<SharedResolution, 'pack' | 'entriesEnd' | 'deltas'> {
  readonly table: EntryTable
  readonly intake: ObjectIntake
}

/** Shares the delta trees below the objects that nobody wants to see. */
export function shareResolution({ pack, entriesEnd, table, deltas, intake }: Unresolved): SharedResolution {
  const { offsets, dataAt, sizes, types, ids, deltaAt, firstChild, nextSibling } = table
  return {
    formatName: intake.hash.name,
    maxObjectBytes: intake.maxObjectBytes,
    pack,
    entriesEnd,
    deltas,
    offsets,
    dataAt,
    sizes,
    types,
    ids,
    deltaAt,
    firstChild,
    nextSibling,
    roots: sharedCopy(rootsByWork(table, deltas, intake)),
    taken: sharedCopy(new Int32Array(1)),
    joined: sharedCopy(new Int32Array(1)),
  }
}

/** Lets nobody take any more. Returns whether others than the one that asks may be at work on what they have taken. */
export function endResolution({ taken, joined, roots }: SharedResolution): boolean {
  Atomics.store(taken, 0, roots.length)
  return Atomics.load(joined, 0) > 1
}

/** The rows that delta trees begin at, by the bytes that come out of them. */
function rootsByWork(table: EntryTable, deltas: Uint8Array, intake: ObjectIntake): Int32Array {
  const { count, types, firstChild, deltaAt, sizes } = table
  const header = new DeltaHeader()
  const work = new Float64Array(count)
  const roots: number[] = []
  for (let root = 0; root < count; root++) {
    const type = types[root]!
    if (firstChild[root]! < 0 || !isWhole(type) || intake.wants(type)) continue
    roots.push(root)
    walkDeltaTree(table, root, (row) => {
      const at = smallInteger(deltaAt[row]!)
      header.parse(deltas, at, at + sizes[row]!)
      work[root]! += header.resultSize
    })
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
    Atomics.add(shared.joined, 0, 1)
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
