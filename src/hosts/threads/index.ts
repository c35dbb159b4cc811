/** `packstone/threads`: threads that help with work on packs, on Node, Deno and Bun. Results are those of one thread. */
export { createThreads, type Threads, type ThreadsOptions } from './create-threads.ts'
