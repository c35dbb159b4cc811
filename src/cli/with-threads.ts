import type { Threads, ThreadsOptions } from '../hosts/threads/index.ts'

/** Starts threads for some work, and ends them with it; none where one thread is all that is wanted. */
export async function withThreads<T>(
  options: ThreadsOptions,
  work: (threads: { readonly threads?: Threads }) => Promise<T>,
): Promise<T> {
  if (options.count === 1) return work({})
  const { createThreads } = await import('../hosts/threads/index.ts')
  const threads = createThreads(options)
  try {
    return await work({ threads })
  } finally {
    await threads.close()
  }
}
