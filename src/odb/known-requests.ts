import { encodeHex } from '../bytes/hex.ts'
import { encodeUtf8 } from '../bytes/text.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ReachablePackFile } from './pack-file.ts'

/** Requests that are remembered for each state of a repository. */
const MAX_REQUESTS = 64

/**
 * Answers to requests, remembered as long as the state of the repository lasts in which they were found: an object that stands for it,
 * and that everything an answer depends on follows from.
 */
export class StateMemory<Answer> {
  readonly #states = new WeakMap<object, Map<string, Answer>>()

  get(state: object, request: string): Answer | undefined {
    return this.#states.get(state)?.get(request)
  }

  set(state: object, request: string, answer: Answer): void {
    const answers = this.#states.get(state) ?? new Map<string, Answer>()
    this.#states.set(state, answers)
    if (answers.size >= MAX_REQUESTS && !answers.has(request)) answers.clear()
    answers.set(request, answer)
  }
}

/**
 * What was found out about long lists of ids. Clones of a repository ask for the same hundreds or thousands of refs, and to look each
 * up again costs more than all else about a clone whose bytes are there. The state is the set of packs with written reachability.
 */
export class KnownRequests {
  /** Lists of which all objects are in those packs. */
  readonly present: StateMemory<true> = new StateMemory()
  /** The pack that is all that some wants reach. */
  readonly wholePacks: StateMemory<ReachablePackFile | 'none'> = new StateMemory()
  /** By pack: whether tags that are elsewhere name none of its objects. */
  readonly tagsWithin: StateMemory<boolean> = new StateMemory()
  readonly #digests = new WeakMap<readonly unknown[], string>()

  /** A digest of a list of ids in hexadecimal, which must not change any more. */
  digest(ids: readonly ObjectId[], format: ObjectFormat): string {
    return this.digestOf(ids, (list) => list, format)
  }

  /** A digest of the ids that a list leads to. It is remembered with the list, which must not change any more. */
  digestOf<Item>(
    list: readonly Item[],
    idsOf: (list: readonly Item[]) => readonly ObjectId[],
    format: ObjectFormat,
  ): string {
    const known = this.#digests.get(list)
    if (known !== undefined) return known
    const text = encodeUtf8(idsOf(list).join(''))
    const raw = new Uint8Array(format.idLength)
    format.hash.digestRangeInto(text, 0, text.length, raw, 0)
    const digest = encodeHex(raw)
    this.#digests.set(list, digest)
    return digest
  }
}
