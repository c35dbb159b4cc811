import { GitError } from '../../errors.ts'
import { createSearchHelpers, type SearchThreads } from '../../pack/delta-search/search-helpers.ts'
import { resolveTogether, scanTogether } from '../../pack/indexer/index-together.ts'
import type { IndexerThreads } from '../../pack/indexer/indexer-threads.ts'
import type { ThreadCodecs } from './thread-codecs.ts'
import { Thread } from './thread.ts'

/** More threads than that are a mistake. */
const MOST_THREADS = 256

export interface ThreadsOptions extends Partial<ThreadCodecs> {
  /** How many threads work together, that of the caller included. */
  readonly count: number
}

/** Threads that wait for work. They keep no process alive. */
export interface Threads extends IndexerThreads, SearchThreads {
  readonly count: number
  /** Ends them when they have done what they were given. */
  close(): Promise<void>
}

/**
 * Starts threads. Their codecs, `node` without collision detection by default, have to be like those of who gives them work.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createThreads(options: ThreadsOptions): Threads {
  const { count, provider = 'node', collisionDetection = false, level } = options
  if (!Number.isInteger(count) || count < 1 || count > MOST_THREADS) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `option 'count' is ${count}; expected an integer from 1 to ${MOST_THREADS}`,
      { details: { option: 'count', value: count } },
    )
  }
  const workerData: ThreadCodecs = { provider, collisionDetection, ...(level === undefined ? {} : { level }) }
  // The built file lies beside every chunk that this module may be bundled into.
  const file = new URL('./threads-worker.js', import.meta.url)
  const threads = Array.from({ length: count - 1 }, () => new Thread(file, workerData))
  return {
    count,
    provider,
    scan: async (shared) => {
      const answers = await Promise.all(threads.map((thread) => thread.ask({ kind: 'scan', shared })))
      return answers.flatMap((answer) => (answer.kind === 'scan' ? answer.parts : []))
    },
    resolve: async (shared) => {
      const answers = await Promise.all(threads.map((thread) => thread.ask({ kind: 'resolve', shared })))
      return answers.every((answer) => answer.kind === 'resolve' && answer.isDone)
    },
    openSegment: (segment) => {
      const [idlest] = [...threads].sort((left, right) => left.openSegments - right.openSegments)
      if (idlest !== undefined) return idlest.openSegment(segment)
      throw new GitError('INVALID_ARGUMENT', 'one thread has no others to search for it')
    },
    scanTogether,
    resolveTogether,
    createHelpers: createSearchHelpers,
    close: async () => {
      await Promise.all(threads.map((thread) => thread.end()))
    },
  }
}
