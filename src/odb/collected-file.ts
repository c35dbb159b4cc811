import type { StoredFile } from '../storage/stored-file.ts'

/** After so many bytes were read, what became of them is collected. */
const COLLECT_EACH = 8 << 20

/**
 * A file whose readers let go of what they read soon, as those who stream a pack do: garbage is collected before much of it has piled up.
 * Runtimes count what lies outside of their heap only roughly.
 */
export function collectedFile(file: StoredFile, collectGarbage: () => void): StoredFile {
  let sinceCollected = 0
  const count = (bytes: number): void => {
    sinceCollected += bytes
    if (sinceCollected < COLLECT_EACH) return
    sinceCollected = 0
    collectGarbage()
  }
  return {
    size: file.size,
    read: async (ranges) => {
      count(ranges.reduce((sum, { length }) => sum + length, 0))
      return file.read(ranges)
    },
    ...(file.readSpaced === undefined
      ? {}
      : {
          readSpaced: async (range, spacing) => {
            count(range.length)
            return file.readSpaced!(range, spacing)
          },
        }),
    close: () => file.close(),
  }
}
