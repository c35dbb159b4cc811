import { DeltaIndex } from '../../delta/delta-index.ts'

/** Tables of a slot that are kept for its next object. */
const KEPT_TABLES = 1 << 20

/** One place of the window: an object as a possible base. */
export interface WindowSlot {
  /** -1 when the slot is empty. */
  ordinal: number
  body: Uint8Array
  /** How many deltas lead from the object to one that is whole. */
  depth: number
  readonly index: DeltaIndex
}

/**
 * The objects that the next one is compared with: a ring, whose oldest object goes when a new one enters.
 *
 * When they take more memory than allowed, the oldest go earlier; the newest always stays.
 */
export class DeltaWindow {
  readonly #slots: WindowSlot[]
  readonly #maxBytes: number
  /** The slot of the object that entered last. */
  #at = 0
  /** How many slots behind it are taken. */
  #count = 0

  /** @param size how many objects are compared with. */
  constructor(size: number, maxBytes: number) {
    this.#slots = Array.from({ length: size + 1 }, () => ({
      ordinal: -1,
      body: EMPTY,
      depth: 0,
      index: new DeltaIndex(),
    }))
    this.#maxBytes = maxBytes
  }

  /** Lets an object into the current slot, in place of what was there. */
  enter(ordinal: number, body: Uint8Array): WindowSlot {
    const slot = this.#slots[this.#at]!
    slot.ordinal = ordinal
    slot.body = body
    slot.depth = 0
    slot.index.release(KEPT_TABLES)
    slot.index.reset(body)
    while (this.#count > 1 && this.#bytes() > this.#maxBytes) {
      this.#free(this.behind(this.#count)!)
      this.#count--
    }
    return slot
  }

  #bytes(): number {
    let bytes = 0
    for (const { body, index } of this.#slots) bytes += body.length + index.tableBytes
    return bytes
  }

  #free(slot: WindowSlot): void {
    slot.ordinal = -1
    slot.body = EMPTY
    slot.index.release(0)
  }

  /** The object that entered so many steps before the current one; `undefined` behind the oldest. */
  behind(steps: number): WindowSlot | undefined {
    if (steps > this.#count) return undefined
    const length = this.#slots.length
    return this.#slots[(this.#at + length - steps) % length]
  }

  /** Moves a base to where it stays longest, and is the first that the next object is compared with; the current object comes second. */
  promote(base: WindowSlot): void {
    const slots = this.#slots
    const { length } = slots
    let place = slots.indexOf(base)
    // The slots from the base's to the current one move back by one, and the base takes the current one's place.
    while (place !== this.#at) {
      const next = (place + 1) % length
      slots[place] = slots[next]!
      place = next
    }
    slots[place] = base
  }

  /** Copies the objects that lie in this buffer. */
  letGoOf(buffer: ArrayBufferLike): void {
    for (const slot of this.#slots) {
      if (slot.body.buffer !== buffer) continue
      slot.body = slot.body.slice()
      slot.index.moveTo(slot.body)
    }
  }

  /** Moves on: the current object stays as a base, and the next one takes the slot of the oldest. */
  advance(): void {
    const { length } = this.#slots
    this.#at = (this.#at + 1) % length
    if (this.#count < length - 1) this.#count++
  }
}

const EMPTY = /* @__PURE__ */ new Uint8Array(0)
