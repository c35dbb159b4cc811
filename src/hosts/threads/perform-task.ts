import type { Codecs } from '../../codec/ports.ts'
import { isGitError } from '../../errors.ts'
import { SegmentSearch, type FoundDeltas } from '../../pack/delta-search/segment-search.ts'
import { ShareOfResolution, type SharedResolution } from '../../pack/indexer/shared-resolution.ts'
import { scanParts } from '../../pack/indexer/shared-scan.ts'
import type { ThreadAnswer, ThreadTask } from './thread-tasks.ts'

/** A task with something to do. */
export type PerformedTask = Exclude<ThreadTask, { readonly kind: 'end' }>

/** Does what tasks ask for, on the side of the thread. */
export class TaskPerformer {
  readonly #codecs: Codecs
  readonly #searches = new Map<number, SegmentSearch>()

  constructor(codecs: Codecs) {
    this.#codecs = codecs
  }

  /** Does a task; `undefined` when it has no answer. */
  perform(task: PerformedTask): ThreadAnswer | undefined {
    try {
      return this.#tryPerform(task)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'failed', code: isGitError(error) ? error.code : 'STORAGE', message }
    }
  }

  #tryPerform(task: PerformedTask): ThreadAnswer | undefined {
    switch (task.kind) {
      case 'scan':
        return { kind: 'scan', parts: scanParts(task.shared, this.#codecs) }
      case 'resolve':
        return { kind: 'resolve', isDone: this.#tryShare(task.shared) }
      case 'search':
        return { kind: 'search', found: this.#search(task) }
      case 'forget':
        this.#searches.delete(task.key)
        return undefined
    }
  }

  #tryShare(shared: SharedResolution): boolean {
    try {
      new ShareOfResolution(shared, this.#codecs).resolve(Infinity)
      return true
    } catch {
      // Whoever asked does everything alone then, and meets the error itself.
      return false
    }
  }

  #search({ key, segment, load }: ThreadTask & { readonly kind: 'search' }): FoundDeltas {
    let search = this.#searches.get(key)
    if (search === undefined && segment !== undefined) {
      search = new SegmentSearch(segment, this.#codecs.deflate)
      this.#searches.set(key, search)
    }
    if (search === undefined) throw new Error(`nothing is known of segment ${key}`)
    return search.search(load)
  }
}

/** The buffers of an answer that go to the other side without a copy. */
export function buffersOf(answer: ThreadAnswer): ArrayBuffer[] {
  if (answer.kind !== 'search') return []
  const { bases, deltaSizes, entries, entryLengths, buffer } = answer.found
  return [bases.buffer, deltaSizes.buffer, entries.buffer, entryLengths.buffer, buffer]
}
