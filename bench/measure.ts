/** What one run took and made. */
export interface Sample {
  /** Wall time. */
  readonly milliseconds: number
  /** User and system time of the process that did it, where that is known. */
  readonly cpuMilliseconds?: number
  /** Bytes that the run produced or moved; 0 where that says nothing. */
  readonly bytes: number
}

/** One way of doing a job. */
export interface Contender {
  readonly name: string
  /** What has to be known to read the figure: threads, provider, cold or warm, cache, collision detection. */
  readonly conditions: string
  /** Does it once. What is not measured (removing the former result) may happen in it: the sample says what counts. */
  run(): Promise<Sample>
}

/** The samples of one contender, one per round. */
export interface Series {
  readonly contender: Contender
  readonly samples: readonly Sample[]
}

export interface MeasureOptions {
  readonly rounds: number
  /** No round is begun once so much time has passed, except that there are three, or the one when it alone takes longer. In milliseconds. */
  readonly budget: number
  /** Whether a round that is not counted comes first. Default true. */
  readonly warmUp?: boolean
}

/**
 * Runs contenders in rotation: every round runs each once, beginning with another one each time, so that a noisy machine disturbs
 * all alike, and only ratios within a round are compared.
 */
export async function measure(
  contenders: readonly Contender[],
  options: MeasureOptions,
): Promise<readonly Series[]> {
  const { rounds, budget, warmUp = true } = options
  const samples = contenders.map((): Sample[] => [])
  const start = performance.now()
  const over = (share: number): boolean => performance.now() - start > share * budget
  for (let round = warmUp ? -1 : 0; round < rounds; round++) {
    if (round > 0 && over(round < 3 ? 2 : 1)) break
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (turn + round + 1) % contenders.length
      const sample = await contenders[at]?.run()
      if (sample !== undefined) samples[at]?.push(sample)
    }
    // A first round that already took everything is the only one, and has to count.
    if (round === -1 && over(1)) break
    if (round === -1) for (const list of samples) list.length = 0
  }
  return contenders.map((contender, at) => ({ contender, samples: samples[at] ?? [] }))
}

/** Measures what a function takes that says itself how many bytes it moved. */
export async function timed(run: () => Promise<number>): Promise<Sample> {
  const start = performance.now()
  const bytes = await run()
  return { milliseconds: performance.now() - start, bytes }
}

/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
