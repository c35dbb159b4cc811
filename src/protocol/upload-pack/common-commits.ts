import { parseHex } from '../../bytes/hex.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { peelToCommits } from '../../graph/peel.ts'
import { allReach } from '../../graph/reaches.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'

/** How many `have` ids are looked up together: few at first, because a client that says the right thing early needs no more. */
const FIRST_BATCH = 256
const LARGEST_BATCH = 16_384

/** Up to how many common objects it is asked after each one whether they suffice. */
const ALWAYS_CHECKED = 32

/**
 * What a client has in common with us, as its `have` lines tell: the state of one negotiation.
 *
 * A commit implies its parents, so a `have` that is a parent of an earlier one adds nothing to send against.
 */
export class CommonCommits {
  readonly #view: ObjectView
  readonly #wants: Iterable<ObjectId>
  readonly #table: CommitTable
  /** The commits that are wanted; looked up when first needed. */
  #starts: Promise<readonly number[]> | undefined
  /** By commit: the client has it, as it said or as follows. */
  readonly #theyHave: (boolean | undefined)[] = []
  readonly #haves: ObjectId[] = []
  #oldest = Infinity
  #ready = false
  #checkedAt = 0

  /** @param shallow commits to treat as having no parents */
  constructor(view: ObjectView, wants: Iterable<ObjectId>, shallow?: ReadonlySet<ObjectId>) {
    this.#view = view
    this.#wants = wants
    this.#table = new CommitTable(view, shallow)
  }

  /** The common objects, without those that others imply. */
  get haves(): readonly ObjectId[] {
    return this.#haves
  }

  /** Takes ids in order, and yields for each whether we have it too. */
  async *add(ids: readonly ObjectId[]): AsyncGenerator<{ readonly id: ObjectId; readonly common: boolean }> {
    let batch: readonly ObjectId[]
    for (let from = 0; from < ids.length; from += batch.length) {
      batch = ids.slice(from, from + Math.min(LARGEST_BATCH, Math.max(FIRST_BATCH, from)))
      await this.#load(batch)
      for (const id of batch) yield { id, common: this.#addOne(id) }
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
    this.#starts ??= this.#loadWants()
    const goals = { isGoal: this.#theyHave, oldest: this.#oldest }
    this.#ready = await allReach(this.#table, await this.#starts, goals)
    return this.#ready
  }

  async #loadWants(): Promise<readonly number[]> {
    const wants = Array.from(this.#wants, (id) => parseHex(id))
    const starts = (await peelToCommits(this.#view, wants)).map((id) => this.#table.add(id))
    await this.#table.load(starts)
    return starts
  }

  /** Makes resident what is to be known of these ids. */
  async #load(ids: readonly ObjectId[]): Promise<void> {
    let waiting = ids.map((id) => parseHex(id))
    while (waiting.length > 0) {
      waiting = waiting.filter((id) => {
        const type = this.#view.tryType(id)
        return type === undefined || (type === COMMIT && !this.#table.tryLoad(this.#table.add(id)))
      })
      if (waiting.length > 0) await this.#view.settle()
    }
  }

  #addOne(hex: ObjectId): boolean {
    const id = parseHex(hex)
    const type = this.#view.tryType(id)
    if (type === null || type === undefined) return false
    if (type !== COMMIT) {
      this.#haves.push(hex)
      return true
    }
    const commit = this.#table.add(id)
    if (this.#theyHave[commit] !== true) this.#haves.push(hex)
    this.#theyHave[commit] = true
    this.#oldest = Math.min(this.#oldest, this.#table.time(commit))
    for (const parent of this.#table.parents(commit)) this.#theyHave[parent] = true
    return true
  }
}
