import { COMMIT, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import type { Node, ReachabilitySet } from './reachability-set.ts'

/** The object is to be sent. */
export const INCLUDED = 1
/** The object is in the closure of the haves. */
export const KNOWN = 2
/** Everything a tree points at is marked. */
const EXPANDED = 4

/**
 * Is told of an id that no pack of the set has, of the object that names it, and of the type it is named as, where that is known. Both
 * ids are views, only valid during the call.
 */
export type OutsideSink = (id: Uint8Array, neededBy: Uint8Array, type?: ObjectType) => void

/**
 * Marks on the objects of a {@link ReachabilitySet}: what to send, what is known.
 *
 * A tree that is stored as a delta on a tree whose entries are all marked adds only what differs, so a walk over all history
 * costs about as much as what changed in it.
 */
export class ReachabilityMarks {
  readonly set: ReachabilitySet
  /** By pack: marks by position. */
  readonly marks: readonly Uint8Array[]
  /** How many objects are marked as included. */
  includedCount = 0
  /** Resolved external nodes by pack: pack * 2^32 + position, -1 for outside, NaN for not looked up. */
  readonly #externals: (Float64Array | undefined)[]
  readonly #stackPacks: number[] = []
  readonly #stackPositions: number[] = []

  constructor(set: ReachabilitySet) {
    this.set = set
    this.marks = set.packs.map(({ index }) => new Uint8Array(index.objectCount))
    this.#externals = set.packs.map(() => undefined)
  }

  has(node: Node, mark: number): boolean {
    return (this.marks[node.pack]![node.position]! & mark) !== 0
  }

  /**
   * Marks an object, and, if it is a tree, everything below it. What is marked already is left as it is, so what is known has to be
   * marked first. Commits and tags are not followed.
   *
   * @returns false when the object had a mark before.
   */
  mark(node: Node, mark: number, outside: OutsideSink): boolean {
    const fresh = this.#markOne(node.pack, node.position, mark)
    this.markBelow(outside)
    return fresh
  }

  /**
   * Like {@link mark}, but what is below a tree waits for {@link markBelow}. To be preferred for many trees: each of them is then
   * expanded after its delta base, whichever of both was marked first.
   */
  markLater(node: Node, mark: number): boolean {
    return this.#markOne(node.pack, node.position, mark)
  }

  /** Marks everything below the trees that wait, each as it is marked itself. */
  markBelow(outside: OutsideSink): void {
    while (this.#stackPacks.length > 0) {
      const pack = this.#stackPacks.pop()!
      const position = this.#stackPositions.pop()!
      this.#expandAfterBase(pack, position, outside)
    }
  }

  /**
   * Includes an object and everything it reaches: of a commit also its history, of a tag also what it names. Commits come before all
   * trees, so that a tree finds its delta base marked.
   */
  includeHistory(node: Node, outside: OutsideSink): void {
    const packs: number[] = [node.pack]
    const positions: number[] = [node.position]
    while (packs.length > 0) {
      const pack = packs.pop()!
      const position = positions.pop()!
      if (!this.#markOne(pack, position, INCLUDED)) continue
      const { reachability, index } = this.set.packs[pack]!
      const type = reachability.type(position)
      if (type !== COMMIT && type !== TAG) continue
      const first = reachability.edgeStarts[position]!
      for (let edge = reachability.edgeStarts[position + 1]! - 1; edge >= first; edge--) {
        const target = reachability.edges[edge]!
        const found =
          target < index.objectCount
            ? this.set.standIn(pack, target)
            : this.set.find(this.set.id(pack, target))
        if (found === undefined && (target >= index.objectCount || this.set.isHidden(pack, target))) {
          outside(
            this.set.id(pack, target),
            this.set.id(pack, position),
            type === TAG ? undefined : edge === first ? TREE : COMMIT,
          )
          continue
        }
        packs.push(found?.pack ?? pack)
        positions.push(found?.position ?? target)
      }
    }
    this.markBelow(outside)
  }

  /** Includes all objects of the set. Nothing may be marked yet, and no mask hide anything. */
  includeAll(): void {
    for (const [pack, marks] of this.marks.entries()) {
      marks.fill(INCLUDED)
      for (const position of this.set.copies(pack)) marks[position] = 0
    }
    this.includedCount = this.set.objectCount
  }

  /** Marks an object without what is below it; false when it had a mark before. */
  markAlone(pack: number, position: number, mark: number): boolean {
    const marks = this.marks[pack]!
    if ((marks[position]! & (INCLUDED | KNOWN)) !== 0) return false
    marks[position]! |= mark
    if (mark === INCLUDED) this.includedCount++
    return true
  }

  /** Takes back that an included object is included. Only once nothing is going to be marked any more. */
  exclude(pack: number, position: number): void {
    this.marks[pack]![position]! &= ~INCLUDED
    this.includedCount--
  }

  #markOne(pack: number, position: number, mark: number): boolean {
    if (!this.markAlone(pack, position, mark)) return false
    if (this.set.packs[pack]!.reachability.type(position) === TREE) {
      this.#stackPacks.push(pack)
      this.#stackPositions.push(position)
    }
    return true
  }

  /**
   * Marks the entries of a tree, before that those of its delta base if that waits too, and so on down the chain: a tree whose base is
   * done costs no more than what differs.
   */
  #expandAfterBase(pack: number, tree: number, outside: OutsideSink): void {
    const { bases } = this.set.packs[pack]!.reachability
    const marks = this.marks[pack]!
    const chain: number[] = []
    for (let at = tree; at >= 0 && (marks[at]! & EXPANDED) === 0; at = bases[at]!) {
      if ((marks[at]! & (INCLUDED | KNOWN)) === 0) break
      chain.push(at)
    }
    for (let at = chain.pop(); at !== undefined; at = chain.pop()) this.#expand(pack, at, outside)
  }

  /** Marks the entries of a tree: its own additions, then those of the trees it is a delta on, less what was removed on the way. */
  #expand(pack: number, tree: number, outside: OutsideSink): void {
    const { edgeStarts, edges, bases } = this.set.packs[pack]!.reachability
    const marks = this.marks[pack]!
    const mark = marks[tree]! & (INCLUDED | KNOWN)
    let removed: Map<number, number> | undefined
    for (let at = tree; ; at = bases[at]!) {
      const end = edgeStarts[at + 1]!
      let removals = false
      for (let edge = edgeStarts[at]!; edge < end; edge++) {
        const node = edges[edge]!
        if (node < 0) {
          removals = true
          continue
        }
        const times = removed?.get(node) ?? 0
        if (times > 0) removed!.set(node, times - 1)
        else this.#markEdge(pack, tree, node, mark, outside)
      }
      const base = bases[at]!
      if (base < 0 || (marks[base]! & EXPANDED) !== 0) break
      if (!removals) continue
      removed ??= new Map()
      for (let edge = edgeStarts[at]!; edge < end; edge++) {
        const node = ~edges[edge]!
        if (node >= 0) removed.set(node, (removed.get(node) ?? 0) + 1)
      }
    }
    marks[tree]! |= EXPANDED
  }

  #markEdge(pack: number, tree: number, node: number, mark: number, outside: OutsideSink): void {
    const { index } = this.set.packs[pack]!
    if (node < index.objectCount) {
      const other = this.set.standIn(pack, node)
      if (other !== undefined) this.#markOne(other.pack, other.position, mark)
      else if (this.set.isHidden(pack, node)) outside(this.set.id(pack, node), this.set.id(pack, tree))
      else this.#markOne(pack, node, mark)
      return
    }
    const found = this.#external(pack, node - index.objectCount, node)
    if (found >= 0) this.#markOne(Math.floor(found / 0x100000000), found % 0x100000000, mark)
    else outside(this.set.id(pack, node), this.set.id(pack, tree))
  }

  #external(pack: number, external: number, node: number): number {
    let found = this.#externals[pack]
    if (found === undefined) {
      found = new Float64Array(this.set.packs[pack]!.reachability.externalCount).fill(NaN)
      this.#externals[pack] = found
    }
    const known = found[external]!
    if (!Number.isNaN(known)) return known
    const other = this.set.find(this.set.id(pack, node))
    return (found[external] = other === undefined ? -1 : other.pack * 0x100000000 + other.position)
  }
}
