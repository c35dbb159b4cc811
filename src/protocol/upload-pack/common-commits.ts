import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { allReachAny } from '../../graph/reaches.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { readObject } from '../../object/object-reader.ts'
import type { ObjectView } from '../../odb/object-view.ts'

/** How many `have` ids are looked up together. */
const BATCH = 256

/** Up to how many common objects it is asked after each one whether they suffice. */
const ALWAYS_CHECKED = 32

/**
 * What a client has in common with us, as its `have` lines tell: the state of one negotiation.
 *
 * A commit implies its parents, so a `have` that is a parent of an earlier one adds nothing to send against.
 */
export class CommonCommits {
  readonly #view: ObjectView
  readonly #wants: readonly Uint8Array[]
  readonly #shallow: ReadonlySet<ObjectId> | undefined
  readonly #theyHave: IdTable
  readonly #haves: ObjectId[] = []
  #ready = false
  #checkedAt = 0

  /** @param shallow commits to treat as having no parents */
  constructor(view: ObjectView, wants: Iterable<ObjectId>, shallow?: ReadonlySet<ObjectId>) {
    this.#view = view
    this.#wants = Array.from(wants, (id) => parseHex(id))
    this.#shallow = shallow
    this.#theyHave = new IdTable(view.format.idLength)
  }

  /** The common objects, without those that others imply. */
  get haves(): readonly ObjectId[] {
    return this.#haves
  }

  /** Takes ids in order, and yields for each whether we have it too. */
  async *add(ids: readonly ObjectId[]): AsyncGenerator<{ readonly id: ObjectId; readonly common: boolean }> {
    for (let from = 0; from < ids.length; from += BATCH) {
      const batch = ids.slice(from, from + BATCH)
      const unknown = batch.filter((id) => this.#view.tryRead(parseHex(id)) === undefined)
      if (unknown.length > 0) await this.#view.settle()
      for (const id of batch) yield { id, common: await this.#addOne(id) }
    }
  }

  /**
   * Whether every commit asked for reaches something common, so that a pack can be made and talking on gains nothing
   * ("ready"). Objects that are no commits do not count.
   *
   * Each answer may cost a walk of history, so before the last `have` line of a long list it is looked for only as
   * often as what is common has doubled. That at worst delays the answer yes.
   */
  async isReady(isLast: boolean): Promise<boolean> {
    const count = this.#haves.length
    if (this.#ready || count === this.#checkedAt) return this.#ready
    if (!isLast && count > ALWAYS_CHECKED && count < 2 * this.#checkedAt) return false
    this.#checkedAt = count
    const targets = Array.from({ length: this.#theyHave.size }, (_, ordinal) => this.#theyHave.id(ordinal))
    this.#ready = await allReachAny(this.#view, this.#wants, targets, this.#shallow)
    return this.#ready
  }

  async #addOne(hex: ObjectId): Promise<boolean> {
    const id = parseHex(hex)
    const object = await readObject(this.#view, id)
    if (object === null) return false
    if (object.type !== COMMIT) {
      this.#haves.push(hex)
      return true
    }
    if (!this.#theyHave.has(id)) this.#haves.push(hex)
    this.#theyHave.add(id)
    if (this.#shallow?.has(encodeHex(id)) === true) return true
    for (const parent of parseCommitLinks(object.body, this.#view.format).parents) this.#theyHave.add(parent)
    return true
  }
}
