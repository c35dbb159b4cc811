import { Worker } from 'node:worker_threads'
import { GitError } from '../../errors.ts'
import type { SegmentThread } from '../../pack/delta-search/search-helpers.ts'
import type { SharedSegment } from '../../pack/delta-search/segment-search.ts'
import type { ThreadCodecs } from './thread-codecs.ts'
import type { ThreadAnswer, ThreadTask } from './thread-tasks.ts'

interface Asked {
  readonly resolve: (answer: ThreadAnswer) => void
  readonly reject: (error: Error) => void
}

/** A thread that waits for tasks. It keeps no process alive but for an answer. */
export class Thread {
  readonly #worker: Worker
  /** Tasks without an answer, in the order of asking, which is that of the answers. */
  readonly #asked: Asked[] = []
  #ended: Error | undefined
  #isEnding = false
  #lastKey = 0
  /** How many segments it has been given to search. */
  openSegments = 0

  constructor(file: URL, workerData: ThreadCodecs) {
    this.#worker = new Worker(file, { workerData })
    this.#worker.on('message', (answer: ThreadAnswer) => {
      const asked = this.#asked.shift()
      // An answer that comes when it is being ended leaves the process alive until it has.
      if (this.#asked.length === 0 && !this.#isEnding) this.#worker.unref()
      if (answer.kind === 'failed')
        asked?.reject(new GitError(answer.code, `a thread failed: ${answer.message}`))
      else asked?.resolve(answer)
    })
    const onEnd = (cause: unknown): void => {
      this.#ended ??= new GitError('STORAGE', 'a thread has ended that work was expected of', { cause })
      for (const { reject } of this.#asked.splice(0)) reject(this.#ended)
    }
    this.#worker.on('error', onEnd)
    this.#worker.on('exit', onEnd)
    this.#worker.unref()
  }

  /**
   * Gives it a task, which it begins when it is done with those before.
   *
   * @param buffers which it is given without a copy.
   * @throws GitError `STORAGE` when the thread has ended, or what the task failed with
   */
  ask(task: ThreadTask, buffers: readonly ArrayBuffer[] = []): Promise<ThreadAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended)
        return
      }
      // What cannot be posted is thrown here, and not waited for.
      this.#worker.postMessage(task, buffers)
      this.#asked.push({ resolve, reject })
      this.#worker.ref()
    })
  }

  /** Opens a segment for it to search. */
  openSegment(shared: SharedSegment): SegmentThread {
    const key = ++this.#lastKey
    let segment: SharedSegment | undefined = shared
    this.openSegments++
    return {
      search: async (load) => {
        const first = segment === undefined ? {} : { segment }
        segment = undefined
        const answer = await this.ask({ kind: 'search', key, ...first, load }, [load.bodies.buffer])
        if (answer.kind === 'search') return answer.found
        throw new GitError('STORAGE', `a thread answered a search with '${answer.kind}'`)
      },
      close: () => {
        this.openSegments--
        this.#worker.postMessage({ kind: 'forget', key } satisfies ThreadTask)
      },
    }
  }

  /**
   * Ends it when it has answered all that it was asked. It is not cut off: Node 20 aborts the process when a thread is terminated
   * that is about to open a zlib stream, or for which code is being optimised.
   */
  async end(): Promise<void> {
    this.#isEnding = true
    if (this.#ended !== undefined) return
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.ref()
    this.#worker.postMessage({ kind: 'end' } satisfies ThreadTask)
    await ended
  }
}
