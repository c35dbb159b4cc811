/** What a round of the killed process leaves behind: the parent knows it from the number alone. */
export const REFS: readonly string[] = ['refs/heads/main', 'refs/heads/topic/a', 'refs/tags/v1']

/** Small, so that a kill meets a file between two of its chunks. */
export const CHUNK_BYTES = 16_384

export function roundId(round: number): string {
  return (round + 1).toString(16).padStart(40, '0')
}

export function packName(round: number): string {
  return `pack-${roundId(round)}`
}

export function packBytes(round: number): Uint8Array {
  return new Uint8Array(200_000 + round).fill(round)
}
