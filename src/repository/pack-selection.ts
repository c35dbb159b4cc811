import { yieldToHost } from '../bytes/yield-to-host.ts'
import { GitError } from '../errors.ts'
import type { Enumeration } from '../graph/enumerate-objects.ts'
import { encodeObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'
import { OFS_DELTA, REF_DELTA } from '../pack/entry-header.ts'

/** The stored entry is a whole object: copy it. */
export const COPY_WHOLE = 0
/** The stored entry is a delta on an object that is sent too: copy it with a new header. */
export const COPY_DELTA = 1
/** The stored entry is a delta on an object that the other side has: copy it as a ref-delta (thin pack). */
export const COPY_THIN = 2
/** No stored entry can be copied: read the object and deflate it. */
export const DEFLATE = 3

/** Entries looked at between two turns of the host. */
const TURN = 16384

/**
 * How each enumerated object is going to be sent, as columns by ordinal of the enumeration.
 *
 * - `action`     one of the constants above
 * - `pack`       index in `packs`, -1 when the object is not packed
 * - `rank`       rank in that pack
 * - `headerLength`  bytes of the stored entry's header
 * - `size`       inflated size of the stored entry
 * - `base`       for {@link COPY_DELTA} the ordinal of the base, for {@link COPY_THIN} the base's rank in `pack`, else -1
 * - `order`      ordinals in the order they are written
 */
export interface PackSelection {
  readonly packs: readonly PackFile[]
  readonly action: Uint8Array
  readonly pack: Int32Array
  readonly rank: Uint32Array
  readonly headerLength: Uint8Array
  readonly size: Float64Array
  readonly base: Int32Array
  readonly order: Uint32Array
  readonly deltaCount: number
  readonly reusedCount: number
}

export interface SelectOptions {
  /** Allow deltas on objects that are only known to the other side. */
  readonly thin: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number) => void
}

/**
 * Decides for each object which stored bytes are sent, and in which order: pack by pack in the order of the stored entries, so
 * that bases come before their deltas and storage is read forwards; unpacked objects at the end.
 *
 * Afterwards every pack of the selection is pinned in the view.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_PACK`
 */
export async function selectEntries(
  view: ObjectView,
  enumeration: Enumeration,
  options: SelectOptions,
): Promise<PackSelection> {
  const located = await locateAll(view, enumeration)
  const count = enumeration.objects.size
  const selection = {
    ...located,
    action: new Uint8Array(count).fill(DEFLATE),
    headerLength: new Uint8Array(count),
    size: new Float64Array(count),
    base: new Int32Array(count).fill(-1),
  }
  let done = 0
  for (let position = 0; position < count; position++) {
    const ordinal = located.order[position]!
    while (!trySelect(enumeration, selection, ordinal, options.thin)) await view.settle()
    if (++done % TURN !== 0) continue
    options.onProgress?.(done)
    options.signal?.throwIfAborted()
    await yieldToHost()
  }
  if (located.packs.length > 1) breakCircles(selection)
  let deltaCount = 0
  let reusedCount = 0
  for (const action of selection.action) {
    if (action === COPY_DELTA || action === COPY_THIN) deltaCount++
    if (action !== DEFLATE) reusedCount++
  }
  return { ...selection, deltaCount, reusedCount }
}

interface Located {
  readonly packs: PackFile[]
  readonly pack: Int32Array
  readonly rank: Uint32Array
  readonly order: Uint32Array
}

/** Finds a stored copy of every object in packs that are pinned; begins again when a pack goes away meanwhile. */
async function locateAll(view: ObjectView, { objects }: Enumeration): Promise<Located> {
  for (;;) {
    const packs: PackFile[] = []
    const pack = new Int32Array(objects.size).fill(-1)
    const rank = new Uint32Array(objects.size)
    const outside: number[] = []
    for (let ordinal = 0; ordinal < objects.size; ordinal++) {
      const location = view.locate(objects.ids, ordinal * objects.idLength)
      if (location === undefined) {
        outside.push(ordinal)
        continue
      }
      let index = packs.indexOf(location.pack)
      if (index < 0) index = packs.push(location.pack) - 1
      pack[ordinal] = index
      rank[ordinal] = location.rank
    }
    const pinned = await Promise.all(packs.map((file) => view.pin(file)))
    if (pinned.includes(false)) continue
    await assertPresent(view, objects, outside)
    return { packs, pack, rank, order: sendingOrder(packs, pack, rank) }
  }
}

async function assertPresent(
  view: ObjectView,
  objects: Enumeration['objects'],
  ordinals: readonly number[],
): Promise<void> {
  let waiting = [...ordinals]
  while (waiting.length > 0) {
    waiting = waiting.filter((ordinal) => {
      const present = view.tryHas(objects.view(ordinal))
      if (present === false) {
        const id = encodeObjectId(objects.view(ordinal), 0, view.format)
        throw new GitError('MISSING_OBJECT', `object ${id} is missing`, { details: { id } })
      }
      return present === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
}

/** Ordinals by pack and offset; those that are not packed come last, in the order they were enumerated. */
function sendingOrder(packs: readonly PackFile[], pack: Int32Array, rank: Uint32Array): Uint32Array {
  const count = pack.length
  const order = new Uint32Array(count)
  let at = 0
  for (let index = 0; index < packs.length; index++) {
    const file = packs[index]!
    const ordinalOfRank = new Int32Array(file.index.objectCount).fill(-1)
    for (let ordinal = 0; ordinal < count; ordinal++)
      if (pack[ordinal] === index) ordinalOfRank[rank[ordinal]!] = ordinal
    for (const stored of file.index.packOrder) {
      const ordinal = ordinalOfRank[stored]!
      if (ordinal >= 0) order[at++] = ordinal
    }
  }
  for (let ordinal = 0; ordinal < count; ordinal++) if (pack[ordinal]! < 0) order[at++] = ordinal
  return order
}

type Columns = Pick<PackSelection, 'packs' | 'action' | 'pack' | 'rank' | 'headerLength' | 'size' | 'base'>

/** Decides one object; false when the entry's header is not resident. */
function trySelect(enumeration: Enumeration, columns: Columns, ordinal: number, thin: boolean): boolean {
  const index = columns.pack[ordinal]!
  if (index < 0) return true
  const file = columns.packs[index]!
  const entry = file.tryEntry(columns.rank[ordinal]!)
  if (entry === undefined) return false
  columns.headerLength[ordinal] = entry.headerLength
  columns.size[ordinal] = entry.size
  if (entry.type !== OFS_DELTA && entry.type !== REF_DELTA) {
    columns.action[ordinal] = COPY_WHOLE
    return true
  }
  const { bytes } = file.index
  const baseIdAt = file.index.idAt(entry.baseRank)
  const base = enumeration.objects.find(bytes, baseIdAt)
  if (base >= 0) {
    columns.action[ordinal] = COPY_DELTA
    columns.base[ordinal] = base
  } else if (thin && enumeration.known.has(bytes, baseIdAt)) {
    columns.action[ordinal] = COPY_THIN
    columns.base[ordinal] = entry.baseRank
  }
  return true
}

/** Two packs may hold two objects as deltas on each other; one of each such circle is sent whole. */
function breakCircles({ action, base }: Columns): void {
  const state = new Uint8Array(action.length)
  for (let start = 0; start < action.length; start++) {
    const path: number[] = []
    let at = start
    while (state[at] === 0) {
      state[at] = 1
      path.push(at)
      if (action[at] !== COPY_DELTA) break
      const next = base[at]!
      if (state[next] === 1) {
        action[at] = DEFLATE
        base[at] = -1
        break
      }
      at = next
    }
    for (const ordinal of path) state[ordinal] = 2
  }
}
