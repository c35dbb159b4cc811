import { COMMIT, TAG, TREE } from '../../object/object-type.ts'
import type { PackReachability } from '../reachability/pack-reachability.ts'
import type { CommitBits } from './encode-pack-bitmaps.ts'
import { createBits, encodeEwah, hasBit, joinEwah, setBit } from './ewah.ts'

/** How many of the latest commits every so many get a bitmap, then how many of the older ones; git chooses in this manner. */
const DENSE_COMMITS = 20_000
const DENSE_STEP = 100
const SPARSE_STEP = 2000
/** Named commits that get a bitmap at the most: the latest. */
const MAX_TIPS = 2000

/**
 * The commits of a pack that get a bitmap: those that are named, and others at distances along the history.
 *
 * @param tips positions of commits that refs name.
 * @returns positions, each commit behind its ancestors.
 */
export function selectBitmapCommits(reachability: PackReachability, tips: Iterable<number>): number[] {
  const order = commitsInOrder(reachability)
  const named = [...new Set(tips)].filter((tip) => reachability.type(tip) === COMMIT)
  named.sort((left, right) => reachability.time(right) - reachability.time(left))
  const selected = new Set(named.slice(0, MAX_TIPS))
  for (let age = 0; age < order.length; age += age < DENSE_COMMITS ? DENSE_STEP : SPARSE_STEP)
    selected.add(order[order.length - 1 - age]!)
  return order.filter((position) => selected.has(position))
}

/** All commits of the pack, parents first; of two that are unrelated the older one. */
function commitsInOrder(reachability: PackReachability): number[] {
  const { edgeStarts, edges, objectCount } = reachability
  const commits: number[] = []
  for (let position = 0; position < objectCount; position++)
    if (reachability.type(position) === COMMIT) commits.push(position)
  const times = new Map(commits.map((position) => [position, reachability.time(position)]))
  commits.sort((left, right) => times.get(left)! - times.get(right)!)
  const placed = new Uint8Array(objectCount)
  const order: number[] = []
  const stack: number[] = []
  for (const commit of commits) {
    stack.push(commit)
    while (stack.length > 0) {
      const at = stack.at(-1)!
      const before = stack.length
      if (placed[at] === 0) {
        for (let edge = edgeStarts[at]! + 1; edge < edgeStarts[at + 1]!; edge++) {
          const parent = edges[edge]!
          if (parent < objectCount && placed[parent] === 0) stack.push(parent)
        }
      }
      if (stack.length > before) continue
      stack.pop()
      if (placed[at] !== 0) continue
      placed[at] = 1
      order.push(at)
    }
  }
  return order
}

/**
 * Computes what commits of a pack reach, as bits by position. The pack must have all of it: no external nodes.
 *
 * A tree that is stored as a delta on one that is in already adds only what differs; a commit that was done before is joined whole.
 *
 * @param commits each behind its ancestors.
 */
export function* commitClosures(
  reachability: PackReachability,
  commits: readonly number[],
): Generator<CommitBits, void, undefined> {
  const done = new Map<number, Uint8Array>()
  for (const position of commits) {
    const bits = createBits(reachability.objectCount)
    addClosure(reachability, position, bits, done)
    done.set(position, encodeEwah(bits))
    yield { position, bits }
  }
}

/** Adds an object and what it reaches. Every tree whose bit is set has, or is about to get, all that it reaches. */
function addClosure(
  reachability: PackReachability,
  start: number,
  bits: Uint32Array,
  done: ReadonlyMap<number, Uint8Array>,
): void {
  const { edgeStarts, edges } = reachability
  const stack = [start]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (hasBit(bits, at)) continue
    const known = done.get(at)
    if (known !== undefined) {
      joinEwah(known, 0, bits, 'or')
      continue
    }
    setBit(bits, at)
    const type = reachability.type(at)
    if (type === TREE) pushEntries(reachability, at, bits, stack)
    else if (type === COMMIT || type === TAG)
      // The root tree comes off the stack last: what ancestors have is in by then.
      for (let edge = edgeStarts[at]!; edge < edgeStarts[at + 1]!; edge++) stack.push(edges[edge]!)
  }
}

/** Pushes the entries of a tree: its own additions, then those of the trees it is a delta on, less what was removed on the way. */
function pushEntries(reachability: PackReachability, tree: number, bits: Uint32Array, stack: number[]): void {
  const { edgeStarts, edges, bases } = reachability
  const removed = new Map<number, number>()
  for (let at = tree; ; at = bases[at]!) {
    const end = edgeStarts[at + 1]!
    for (let edge = edgeStarts[at]!; edge < end; edge++) {
      const node = edges[edge]!
      if (node < 0) continue
      const times = removed.get(node) ?? 0
      if (times > 0) removed.set(node, times - 1)
      else stack.push(node)
    }
    const base = bases[at]!
    if (base < 0 || hasBit(bits, base)) return
    for (let edge = edgeStarts[at]!; edge < end; edge++) {
      const node = ~edges[edge]!
      if (node >= 0) removed.set(node, (removed.get(node) ?? 0) + 1)
    }
  }
}
