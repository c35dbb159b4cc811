import { parentPort, workerData } from 'node:worker_threads'
import { ShareOfResolution, type SharedResolution } from '../../pack/indexer/shared-resolution.ts'
import { createThreadCodecs, type ThreadCodecs } from './thread-codecs.ts'

// What a thread of `createThreads` runs: for each resolution that is posted, true when its share of it is done, false when that failed.
const codecs = await createThreadCodecs(workerData as ThreadCodecs)

parentPort?.on('message', (shared: SharedResolution) => {
  parentPort?.postMessage(tryShare(shared))
})

function tryShare(shared: SharedResolution): boolean {
  try {
    new ShareOfResolution(shared, codecs).resolve(Infinity)
    return true
  } catch {
    // Whoever asked does everything alone then, and meets the error itself.
    return false
  }
}
