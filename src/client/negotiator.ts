import { CommitQueue } from '../graph/commit-queue.ts'
import { CommitTable } from '../graph/commit-table.ts'
import { peelToCommits } from '../graph/peel.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import { remoteFault } from './remote-refs.ts'

/** What a fetch offers as common ground, in order, and learns about it. */
export interface HaveSource {
  /** The next id to offer; `undefined` when there is nothing left that the remote might have. */
  next(): Promise<ObjectId | undefined>
  /**
   * The remote has this one, and so everything it reaches. True when that is news.
   *
   * @throws GitError `PROTOCOL` when the id was never offered
   */
  acknowledge(id: ObjectId): boolean
}

const SEEN = 1
/** The remote has it. */
const COMMON = 2
/** The remote advertises it: worth offering once, its ancestors are not. */
const COMMON_REF = 4
const POPPED = 8
const OFFERED = 16

/**
 * Offers commits from the tips on, latest first, passing over what the remote is known to have: the way of git's default
 * negotiator.
 */
export class Negotiator implements HaveSource {
  readonly #table: CommitTable
  readonly #queue: CommitQueue
  readonly #flags: number[] = []
  /** Queued commits that the remote is not known to have. Without any, nothing is worth offering. */
  #open = 0

  private constructor(table: CommitTable) {
    this.#table = table
    this.#queue = new CommitQueue(table)
  }

  /**
   * @param tips what this repository's refs name; what is no commit in the end, or absent, is left out.
   * @param advertised those ids that the remote's refs name too.
   */
  static async create(
    view: ObjectView,
    tips: readonly ObjectId[],
    advertised: readonly ObjectId[],
  ): Promise<Negotiator> {
    const table = new CommitTable(view)
    const negotiator = new Negotiator(table)
    const load = async (ids: readonly ObjectId[]): Promise<number[]> => {
      const raw = ids.map((id) => parseObjectId(id, view.format))
      const commits = (await peelToCommits(view, raw)).map((id) => table.add(id))
      await table.load(commits)
      return commits
    }
    for (const commit of await load(advertised)) negotiator.#enqueue(commit, SEEN | COMMON_REF)
    for (const commit of await load(tips)) negotiator.#enqueue(commit, SEEN)
    return negotiator
  }

  async next(): Promise<ObjectId | undefined> {
    while (this.#open > 0 && this.#queue.size > 0) {
      const commit = this.#queue.pop()
      const flags = this.#flags[commit]! | POPPED
      this.#flags[commit] = flags
      const isCommon = (flags & COMMON) !== 0
      if (!isCommon) this.#open--
      const inherited = (flags & (COMMON | COMMON_REF)) === 0 ? SEEN : SEEN | COMMON
      for (const parent of this.#table.parents(commit)) {
        while (!this.#table.tryLoad(parent, commit, true)) await this.#table.reader.settle()
        this.#enqueue(parent, inherited)
        if (inherited & COMMON) this.#markCommon(parent)
      }
      if (isCommon) continue
      this.#flags[commit] = flags | OFFERED
      return this.#table.hexId(commit)
    }
    return undefined
  }

  acknowledge(id: ObjectId): boolean {
    const commit = this.#table.ids.find(parseObjectId(id, this.#table.reader.format))
    if (commit < 0 || ((this.#flags[commit] ?? 0) & OFFERED) === 0) {
      throw remoteFault(`the remote acknowledges ${id}, which it was never offered`)
    }
    const isNews = (this.#flags[commit]! & COMMON) === 0
    this.#markCommon(commit)
    return isNews
  }

  #enqueue(commit: number, flags: number): void {
    const before = this.#flags[commit] ?? 0
    if (before & SEEN) return
    this.#flags[commit] = before | flags
    if ((flags & COMMON) === 0) this.#open++
    this.#queue.push(commit)
  }

  /** Marks a commit and what it reaches among the commits that were met. */
  #markCommon(from: number): void {
    const stack = [from]
    for (let commit = stack.pop(); commit !== undefined; commit = stack.pop()) {
      const flags = this.#flags[commit] ?? 0
      if (flags & COMMON && commit !== from) continue
      if ((flags & (SEEN | POPPED | COMMON)) === SEEN) this.#open--
      this.#flags[commit] = flags | COMMON
      if (!this.#table.isLoaded(commit) || (flags & POPPED) === 0) continue
      for (const parent of this.#table.parents(commit)) {
        if (((this.#flags[parent] ?? 0) & COMMON) === 0) stack.push(parent)
      }
    }
  }
}
