import { IdTable } from '../object/id-table.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import type { PackMask } from '../pack/pack-mask.ts'
import type { PackReachability } from '../pack/reachability/pack-reachability.ts'
import { findSetTips } from './set-tips.ts'

/** A pack whose reachability is written down. */
export interface ReachablePack {
  readonly index: PackIndex
  readonly reachability: PackReachability
  /** Which of its objects are visible; absent: all. */
  readonly mask?: PackMask | undefined
}

/** An object as a pack of a {@link ReachabilitySet} and a position in it. */
export interface Node {
  readonly pack: number
  readonly position: number
}

/**
 * The packs of a repository whose reachability is written down, as one graph.
 *
 * An object that several packs have is one node: its copy in the first of them. An object that a pack's mask hides is not a node; an edge
 * to it leads to another pack's copy, or outside. The set is a value: packs that come later make a new one.
 */
export class ReachabilitySet<Pack extends ReachablePack = ReachablePack> {
  readonly packs: readonly Pack[]
  /** By pack: the node that stands for each position whose object an earlier pack has too. */
  readonly #copies: readonly (ReadonlyMap<number, Node> | undefined)[]
  #tips: { readonly found: IdTable | undefined } | undefined

  private constructor(packs: readonly Pack[], copies: readonly (ReadonlyMap<number, Node> | undefined)[]) {
    this.packs = packs
    this.#copies = copies
  }

  /** The set of these packs. Looks at every object of all but the largest. */
  static of<Pack extends ReachablePack>(packs: readonly Pack[]): ReachabilitySet<Pack> {
    const sorted = [...packs].sort((left, right) => right.index.objectCount - left.index.objectCount)
    return new ReachabilitySet(sorted, findCopies(sorted))
  }

  /** This set with one more pack, which comes last. Looks at every object of the new one only. */
  with(pack: Pack): ReachabilitySet<Pack> {
    if (this.packs.length === 0) return new ReachabilitySet([pack], [undefined])
    const { index } = pack
    const copies = new Map<number, Node>()
    for (let position = 0; position < index.objectCount; position++) {
      if (isHidden(pack, position)) continue
      const earlier = this.find(index.bytes, index.idAt(index.packOrder[position]!))
      if (earlier !== undefined) copies.set(position, earlier)
    }
    return new ReachabilitySet([...this.packs, pack], [...this.#copies, copies.size > 0 ? copies : undefined])
  }

  /** How many objects there are, copies not counted. */
  get objectCount(): number {
    return this.packs.reduce(
      (sum, { index, mask }, pack) =>
        sum + (mask?.visibleCount ?? index.objectCount) - (this.#copies[pack]?.size ?? 0),
      0,
    )
  }

  /**
   * The objects that no object of the set names: all others are reached from these. `undefined` where the set names objects that it
   * does not have, or hides some. Found at the first call.
   */
  get tips(): IdTable | undefined {
    this.#tips ??= { found: findSetTips(this.packs) }
    return this.#tips.found
  }

  /** Positions of a pack whose objects an earlier pack of the set has too. */
  copies(pack: number): Iterable<number> {
    return this.#copies[pack]?.keys() ?? []
  }

  /** The node of the object whose raw id is at `bytes[at]`; `undefined` when no pack of the set has it. */
  find(bytes: Uint8Array, at = 0): Node | undefined {
    for (let pack = 0; pack < this.packs.length; pack++) {
      const { index, mask } = this.packs[pack]!
      const rank = index.find(bytes, at)
      if (rank >= 0 && mask?.has(rank) !== false) return { pack, position: index.positions[rank]! }
    }
    return undefined
  }

  /**
   * The node of an object of a pack: another pack's, when that comes first or this one hides it. `undefined` when it is its own, and when
   * it is hidden and no other pack has it: see {@link isHidden}.
   */
  standIn(pack: number, position: number): Node | undefined {
    if (this.isHidden(pack, position)) return this.find(this.id(pack, position))
    return this.#copies[pack]?.get(position)
  }

  /** Whether the mask of a pack hides the object at this position. */
  isHidden(pack: number, position: number): boolean {
    return isHidden(this.packs[pack]!, position)
  }

  /** The raw id of an object, or of an external node, of a pack. A view. */
  id(pack: number, node: number): Uint8Array {
    const { index, reachability } = this.packs[pack]!
    if (node < index.objectCount) return index.id(index.packOrder[node]!)
    const at = (node - index.objectCount) * index.idLength
    return reachability.externals.subarray(at, at + index.idLength)
  }
}

function isHidden({ index, mask }: ReachablePack, position: number): boolean {
  return mask !== undefined && !mask.has(index.packOrder[position]!)
}

function findCopies(packs: readonly ReachablePack[]): (ReadonlyMap<number, Node> | undefined)[] {
  const [largest] = packs
  if (largest === undefined || packs.length === 1) return packs.map(() => undefined)
  // The largest is looked up by its index; all others go into one table, in order.
  const others = new IdTable(largest.index.idLength)
  const nodes: Node[] = []
  return packs.map((one, pack) => {
    if (pack === 0) return undefined
    const { index } = one
    const copies = new Map<number, Node>()
    for (let position = 0; position < index.objectCount; position++) {
      if (isHidden(one, position)) continue
      const at = index.idAt(index.packOrder[position]!)
      const rank = largest.index.find(index.bytes, at)
      if (rank >= 0 && largest.mask?.has(rank) !== false) {
        copies.set(position, { pack: 0, position: largest.index.positions[rank]! })
        continue
      }
      const ordinal = others.add(index.bytes, at)
      const earlier = nodes[ordinal]
      if (earlier === undefined) nodes[ordinal] = { pack, position }
      else copies.set(position, earlier)
    }
    return copies.size > 0 ? copies : undefined
  })
}
