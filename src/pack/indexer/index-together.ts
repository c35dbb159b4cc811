import { isGitError } from '../../errors.ts'
import type { Codecs, HashAlgorithm } from '../../codec/ports.ts'
import type { IndexerThreads } from './indexer-threads.ts'
import type { ResidentIndexer } from './resident-indexer.ts'
import { endResolution, shareResolution, ShareOfResolution } from './shared-resolution.ts'
import { endScan, partStart, shareScan, takePart, type ScannedPart } from './shared-scan.ts'

const PART_BYTES = 1 << 19

/** How the thread that asks the others resolves its own part. */
export interface OwnPart {
  readonly codecs: Codecs
  readonly objectHash?: HashAlgorithm | undefined
  /** Bytes of work between two turns of the host. */
  readonly turnBytes: number
  /** Lets others run; its rejection ends the work. Told how many shared objects this thread has resolved. */
  readonly turn: (resolved: number) => Promise<void>
}

/** Reads the entries of a pack with several threads, as far as the others are of use. What is left, `indexer.scan` reads. */
export async function scanTogether(
  indexer: ResidentIndexer,
  threads: IndexerThreads,
  turnBytes: number,
  turn: () => Promise<void>,
): Promise<void> {
  const scan = shareScan(indexer.toScan, threads.partBytes ?? PART_BYTES)
  if (scan.taken.length < 2) return
  const others = threads.scan(scan)
  // Who waits for what they have read meets the error; who needs nothing of it does not wait.
  others.catch(() => undefined)
  let parts: Map<number, ScannedPart> | undefined
  try {
    for (let part = 0; part < scan.taken.length; part++) {
      if (!takePart(scan, part)) {
        parts ??= new Map((await others).map((scanned) => [scanned.start, scanned]))
        const scanned = parts.get(indexer.at)
        if (scanned !== undefined && indexer.adoptScanned(scanned)) {
          await turn()
          continue
        }
      }
      while (!indexer.scanTo(partStart(scan, part + 1), turnBytes)) await turn()
    }
  } finally {
    endScan(scan)
  }
}

/** Resolves deltas with several threads. When one of them fails nothing has happened: `indexer.resolve` finds the first error. */
export async function resolveTogether(
  indexer: ResidentIndexer,
  threads: IndexerThreads,
  { codecs, objectHash, turnBytes, turn }: OwnPart,
): Promise<void> {
  const shared = shareResolution(indexer.leaveUnseen())
  const others = threads.resolve(shared)
  others.catch(() => undefined)
  const own = new ShareOfResolution(shared, codecs, objectHash)
  let failure: { readonly error: unknown } | undefined
  let isUseless = false
  const resolveSeen = (): boolean => {
    try {
      return indexer.resolve(turnBytes)
    } catch (error) {
      failure = { error }
      return true
    }
  }
  const resolveShared = (): boolean => {
    try {
      return own.resolve(turnBytes)
    } catch (error) {
      if (!isGitError(error)) throw error
      isUseless = true
      return true
    }
  }
  try {
    while (!resolveSeen()) await turn(0)
    while (failure === undefined && !resolveShared()) await turn(own.resolvedCount)
  } finally {
    if (endResolution(shared)) isUseless = !(await others) || isUseless
  }
  if (failure !== undefined) indexer.failInOrder(failure.error)
  if (isUseless) indexer.takeBack()
  else indexer.adoptResolved(shared)
}
