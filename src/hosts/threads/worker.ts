import { parentPort, workerData } from 'node:worker_threads'
import { createThreadCodecs, type ThreadCodecs } from './thread-codecs.ts'
import { performTask, type ThreadTask } from './thread-tasks.ts'

// What a thread of `createThreads` runs: each task that is posted is answered before the next one is begun.
const codecs = await createThreadCodecs(workerData as ThreadCodecs)

parentPort?.on('message', (task: ThreadTask) => {
  parentPort?.postMessage(performTask(task, codecs))
})
