import { GitError } from '../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import { isWellFormedRefName } from '../refs/ref-name.ts'
import type { AdvertisedRef } from '../repository/repository.ts'

/** What a remote says of its refs. */
export interface RemoteRefs {
  /** HEAD, when it leads to an object, and the refs that were asked for; tags with what they finally name where that was asked for. */
  readonly refs: readonly AdvertisedRef[]
  /** The branch that HEAD names although it does not exist yet, where the remote says so. */
  readonly unbornHead?: string
}

/** The error of a remote that broke the protocol. */
export function remoteFault(message: string): GitError {
  return new GitError('PROTOCOL', message)
}

/** The id in a remote's line. */
export function parseRemoteId(text: string, format: ObjectFormatName): ObjectId {
  const id = text.toLowerCase()
  if (id.length === hexLengthOf(format) && /^[0-9a-f]+$/.test(id)) return id
  throw remoteFault(
    `the remote sent '${text.slice(0, 80)}' where an object id of ${hexLengthOf(format)} digits was expected`,
  )
}

/**
 * Gathers refs as they are listed. Names that git would not take are left out, as git does with refs that are "funny"; of a repeated
 * name the first counts.
 */
export class RemoteRefList {
  readonly #maxRefs: number
  readonly #refs = new Map<string, AdvertisedRef>()

  constructor(maxRefs: number) {
    this.#maxRefs = maxRefs
  }

  add(ref: AdvertisedRef): void {
    if (this.#refs.has(ref.name) || !isWellFormedRefName(ref.name, { allowOneLevel: true })) return
    if (this.#refs.size === this.#maxRefs) {
      throw new GitError('LIMIT_EXCEEDED', `the remote has more than ${this.#maxRefs} refs`, {
        details: { limit: 'maxRefs', maximum: this.#maxRefs },
      })
    }
    this.#refs.set(ref.name, ref)
  }

  /** Notes what the tag of this name finally names. */
  peel(name: string, peeled: ObjectId): void {
    const ref = this.#refs.get(name)
    if (ref !== undefined) this.#refs.set(name, { ...ref, peeled })
  }

  /** Notes that a ref is symbolic. */
  link(name: string, symrefTarget: string): void {
    const ref = this.#refs.get(name)
    if (ref !== undefined) this.#refs.set(name, { ...ref, symrefTarget })
  }

  list(): readonly AdvertisedRef[] {
    return [...this.#refs.values()]
  }
}

/** Passes a stream on until it has brought more than `maxBytes`. */
export async function* limitBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const piece of source) {
    size += piece.length
    if (size > maxBytes) {
      throw new GitError('LIMIT_EXCEEDED', `the remote's list of refs is larger than ${maxBytes} bytes`, {
        details: { limit: 'maxAdvertisementBytes', maximum: maxBytes },
      })
    }
    yield piece
  }
}
