import type { Hash, HashAlgorithm } from '../../codec/ports.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeObjectHeader } from '../../object/object-id.ts'
import { BLOB, type ObjectType } from '../../object/object-type.ts'
import type { ReachabilityBuilder } from '../reachability/reachability-builder.ts'
import { BlockNotes } from './block-notes.ts'

/** Room in front of every inflated object, so that its header can be put there and both be hashed as one range. */
export const HEADROOM = 32

/** What one array holds on every runtime. */
const MOST_OBJECT_BYTES = 0x7fffffff - HEADROOM

/** Sees every object of a pack, inflated, once, with its raw id. Both arrays are only valid during the call. */
export type ObjectVisitor = (type: ObjectType, body: Uint8Array, id: Uint8Array) => void

/** Who wants to know of the objects of a pack while it is indexed. */
export interface ObjectIntakeOptions {
  readonly format: ObjectFormat
  readonly visit?: ObjectVisitor
  /** Whether `visit` sees blobs too; those that it does not see can be left to threads. Default: true. */
  readonly visitBlobs?: boolean
  /** Is told of every object, so that what points at what is written down while trees are inflated anyway. */
  readonly reachability?: ReachabilityBuilder
  /** The largest inflated object or delta that is accepted, in bytes. Default: 2 GiB. */
  readonly maxObjectBytes?: number
  /** Names the objects instead of the format's own hash: the same digests, with collision detection. */
  readonly objectHash?: HashAlgorithm
}

/** Names the inflated objects of a pack, and shows them to those who want to see them. */
export class ObjectIntake {
  readonly maxObjectBytes: number
  readonly hash: HashAlgorithm
  readonly reachability: ReachabilityBuilder | undefined
  readonly #visit: ObjectVisitor | undefined
  readonly #visitBlobs: boolean

  constructor(options: ObjectIntakeOptions) {
    this.maxObjectBytes = Math.min(options.maxObjectBytes ?? MOST_OBJECT_BYTES, MOST_OBJECT_BYTES)
    this.hash = options.objectHash ?? options.format.hash
    this.reachability = options.reachability
    this.#visit = options.visit
    this.#visitBlobs = options.visitBlobs ?? true
  }

  /** Whether somebody wants to see the bodies of objects of this type. */
  wants(type: ObjectType): boolean {
    if (type === BLOB) return this.#visit !== undefined && this.#visitBlobs
    return this.#visit !== undefined || this.reachability !== undefined
  }

  /**
   * Takes in the object of this row whose body is `bytes[at, at + size)`, behind {@link HEADROOM} bytes that may be written to. Its id
   * goes to `ids`.
   *
   * @param base row of its delta base, or -1; the base's body is then `bytes[baseAt, baseAt + baseSize)`.
   * @param notes what is noted of its blocks, for hashes that do.
   */
  take(
    row: number,
    type: ObjectType,
    bytes: Uint8Array,
    at: number,
    size: number,
    ids: Uint8Array,
    base: number,
    baseAt: number,
    baseSize: number,
    notes?: BlockNotes,
  ): void {
    const { hash } = this
    const headerAt = writeObjectHeader(type, size, bytes, at)
    const idAt = row * hash.length
    if (notes === undefined || hash.digestNotedInto === undefined)
      hash.digestRangeInto(bytes, headerAt, at + size, ids, idAt)
    else hash.digestNotedInto(bytes, headerAt, at + size, ids, idAt, notes.bytes, BlockNotes.at(headerAt))
    this.show(row, type, bytes, at, size, ids, base, baseAt, baseSize)
  }

  /** Begins to name an object whose body comes in pieces. */
  begin(type: ObjectType, size: number): Hash {
    const hash = this.hash.create()
    hash.update(encodeObjectHeader(type, size))
    return hash
  }

  /** Shows an object that has its id already to those who want to see it. */
  show(
    row: number,
    type: ObjectType,
    bytes: Uint8Array,
    at: number,
    size: number,
    ids: Uint8Array,
    base: number,
    baseAt: number,
    baseSize: number,
  ): void {
    if (this.#visit !== undefined && (type !== BLOB || this.#visitBlobs)) {
      const idAt = row * this.hash.length
      this.#visit(type, bytes.subarray(at, at + size), ids.subarray(idAt, idAt + this.hash.length))
    }
    this.reachability?.add(row, type, bytes, at, at + size, base, baseAt, baseAt + baseSize)
  }

  /** Records an object that has its id already and that nobody {@link wants} to see. */
  pass(row: number, type: ObjectType, base: number): void {
    this.reachability?.add(row, type, NOTHING, 0, 0, base, 0, 0)
  }
}

/** The length of the header that an object has when it is hashed. */
export function objectHeaderLength(type: ObjectType, size: number): number {
  let length = TYPE_WORDS[type]!.length + 2
  for (let rest = size; rest >= 10; rest = Math.floor(rest / 10)) length++
  return length
}

/** Writes `"<type> <size>\0"` so that it ends at `end`; returns where it begins. */
function writeObjectHeader(type: ObjectType, size: number, bytes: Uint8Array, end: number): number {
  let at = end
  bytes[--at] = 0
  let rest = size
  do {
    bytes[--at] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  } while (rest > 0)
  const word = TYPE_WORDS[type]!
  at -= word.length
  for (let k = 0; k < word.length; k++) bytes[at + k] = word[k]!
  return at
}

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** `"<type> "` by type number. */
const TYPE_WORDS: readonly Uint8Array[] = /* @__PURE__ */ [1, 1, 2, 3, 4].map((type) => {
  const header = encodeObjectHeader(type as ObjectType, 0)
  return header.subarray(0, header.length - 2)
})
