import { Worker } from 'node:worker_threads'
import { GitError } from '../../errors.ts'
import type { ResolverThreads } from '../../pack/indexer/shared-resolution.ts'
import type { ThreadCodecs } from './thread-codecs.ts'
import type { ThreadAnswer, ThreadTask } from './thread-tasks.ts'

/** More threads than that are a mistake. */
const MOST_THREADS = 256

export interface ThreadsOptions extends Partial<ThreadCodecs> {
  /** How many threads work together, that of the caller included. */
  readonly count: number
}

/** Threads that wait for work. They keep no process alive. */
export interface Threads extends ResolverThreads {
  readonly count: number
  /** Ends them, whatever they do. */
  close(): Promise<void>
}

/**
 * Starts threads. Their codecs, `node` without collision detection by default, have to be like those of who gives them work.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createThreads(options: ThreadsOptions): Threads {
  const { count, provider = 'node', collisionDetection = false } = options
  if (!Number.isInteger(count) || count < 1 || count > MOST_THREADS) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `option 'count' is ${count}; expected an integer from 1 to ${MOST_THREADS}`,
      { details: { option: 'count', value: count } },
    )
  }
  const workerData: ThreadCodecs = { provider, collisionDetection }
  // The built file lies beside every chunk that this module may be bundled into.
  const file = new URL('./threads-worker.js', import.meta.url)
  const threads = Array.from({ length: count - 1 }, () => startThread(file, workerData))
  return {
    count,
    resolve: async (shared) => {
      const answers = await Promise.all(threads.map((thread) => thread.ask({ kind: 'resolve', shared })))
      return answers.every(({ isDone }) => isDone)
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.end()))
    },
  }
}

interface Thread {
  /** Gives it a task, which it begins when it is done with those before. */
  ask(task: ThreadTask): Promise<ThreadAnswer>
  end(): Promise<unknown>
}

interface Asked {
  readonly resolve: (answer: ThreadAnswer) => void
  readonly reject: (error: Error) => void
}

function startThread(file: URL, workerData: ThreadCodecs): Thread {
  const worker = new Worker(file, { workerData })
  /** Tasks without an answer, in the order of asking, which is that of the answers. */
  const asked: Asked[] = []
  let ended: Error | undefined
  const end = (cause: unknown): void => {
    ended ??= new GitError('STORAGE', 'a thread has ended that work was expected of', { cause })
    for (const { reject } of asked.splice(0)) reject(ended)
  }
  worker.on('message', (answer: ThreadAnswer) => {
    asked.shift()?.resolve(answer)
    if (asked.length === 0) worker.unref()
  })
  worker.on('error', end)
  worker.on('exit', end)
  worker.unref()
  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended)
          return
        }
        asked.push({ resolve, reject })
        worker.ref()
        worker.postMessage(task)
      }),
    end: () => worker.terminate(),
  }
}
