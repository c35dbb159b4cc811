import type { StoredFile } from '../storage/stored-file.ts'

/** After so many bytes were read, what became of them is collected. */
const COLLECT_EACH = 8 << 20

/**
 * A file whose readers let go of what they read soon, as those who stream a pack do: garbage is collected before much of it has piled up.
 * Runtimes count what lies outside of their heap only roughly.
 */
export function collectedFile(file: StoredFile, collectGarbage: () => void): StoredFile {
  let sinceCollected = 0
  return {
    size: file.size,
    read: async (ranges) => {
      for (const { length } of ranges) sinceCollected += length
      if (sinceCollected >= COLLECT_EACH) {
        sinceCollected = 0
        collectGarbage()
      }
      return file.read(ranges)
    },
    close: () => file.close(),
  }
}
