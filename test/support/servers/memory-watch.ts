import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { peakMegabytes } from '../large-pack-traffic.ts'

/** The most memory that a process has had in use so far, in millions of bytes. */
export interface MemoryPeaks {
  /** The heap with the buffers outside of it. */
  readonly heapAndBuffers: number
  /** All that was resident, the runtime itself too. */
  readonly resident: number
}

/** Watches the memory of a Node process that is going to be started. */
export interface MemoryWatch {
  /** Arguments for Node, and what has to be in its environment. */
  readonly nodeArgs: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** What it came to so far. */
  read(pid: number): Promise<MemoryPeaks>
}

/** @param report the path of a file that the process may write. */
export function watchMemory(report: string): MemoryWatch {
  return {
    nodeArgs: ['--import', pathToFileURL(resolve('test/support/servers/memory-watch.mjs')).href],
    environment: { MEMORY_WATCH: report },
    read: async (pid) => ({
      heapAndBuffers: Number(await readFile(report, 'utf8')) / 1e6,
      resident: await peakMegabytes(pid),
    }),
  }
}
