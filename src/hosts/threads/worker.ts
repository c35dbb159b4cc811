import { parentPort, workerData } from 'node:worker_threads'
import { buffersOf, TaskPerformer } from './perform-task.ts'
import { createThreadCodecs, type ThreadCodecs } from './thread-codecs.ts'
import type { ThreadTask } from './thread-tasks.ts'

// What a thread of `createThreads` runs: each task that is posted is answered before the next one is begun.
const performer = new TaskPerformer(await createThreadCodecs(workerData as ThreadCodecs))

parentPort?.on('message', (task: ThreadTask) => {
  if (task.kind === 'end') {
    end()
    return
  }
  const answer = performer.perform(task)
  if (answer !== undefined) parentPort?.postMessage(answer, buffersOf(answer))
})

/** A thread ends when nothing can come any more. In Deno its port is the global object, which alone can be closed. */
function end(): void {
  const port: { close?: () => void } | null = parentPort
  if (port?.close !== undefined) port.close()
  else globalThis.close()
}
