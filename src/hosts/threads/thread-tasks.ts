import type { Codecs } from '../../codec/ports.ts'
import { ShareOfResolution, type SharedResolution } from '../../pack/indexer/shared-resolution.ts'

/** Work that is posted to a thread. */
export interface ThreadTask {
  readonly kind: 'resolve'
  readonly shared: SharedResolution
}

/** What a thread answers a task with; it answers tasks in the order in which they were posted. */
export interface ThreadAnswer {
  readonly kind: 'resolve'
  /** Whether its share is done. */
  readonly isDone: boolean
}

/** Does what a task asks for. */
export function performTask(task: ThreadTask, codecs: Codecs): ThreadAnswer {
  return { kind: task.kind, isDone: tryShare(task.shared, codecs) }
}

function tryShare(shared: SharedResolution, codecs: Codecs): boolean {
  try {
    new ShareOfResolution(shared, codecs).resolve(Infinity)
    return true
  } catch {
    // Whoever asked does everything alone then, and meets the error itself.
    return false
  }
}
