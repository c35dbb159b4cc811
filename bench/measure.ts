/** One way of doing a job. Resolves with the bytes that the job produced or moved. */
export interface Contender {
  readonly name: string
  run(): Promise<number>
}

/** How one contender did against the first one of its job. */
export interface Measurement {
  readonly job: string
  readonly corpus: string
  readonly contender: string
  /** Median wall time in milliseconds. */
  readonly milliseconds: number
  /** Median over rounds of time divided by the baseline's time in the same round; 1 for the baseline itself. */
  readonly ratio: number
  /** Least and largest of these ratios. */
  readonly spread: readonly [number, number]
  readonly bytes: number
  readonly rounds: number
}

/**
 * Times contenders in rotation: every round runs each once, so that a noisy machine disturbs all alike, and only ratios within
 * a round are compared. The first contender is the baseline. One round before the first is not counted.
 */
export async function measure(
  job: string,
  corpus: string,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Measurement[]> {
  const times = contenders.map((): number[] => [])
  const bytes = contenders.map(() => 0)
  for (let round = 0; round <= rounds; round++) {
    for (const [at, contender] of contenders.entries()) {
      const start = performance.now()
      bytes[at] = await contender.run()
      if (round > 0) times[at]?.push(performance.now() - start)
    }
  }
  const baseline = times[0] ?? []
  return contenders.map(({ name }, at) => {
    const own = times[at] ?? []
    const ratios = own.map((time, round) => time / (baseline[round] ?? Number.NaN))
    return {
      job,
      corpus,
      contender: name,
      milliseconds: median(own),
      ratio: median(ratios),
      spread: [Math.min(...ratios), Math.max(...ratios)],
      bytes: bytes[at] ?? 0,
      rounds,
    }
  })
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
