/** The wait before the first restart; each further one takes twice as long. */
const FIRST_MS = 100
const LONGEST_MS = 10_000
/** A process that served for so long did not die of how it began. */
const LONG_LIFE_MS = 30_000

/** Deaths of processes that followed each other closely. */
export interface DeathRow {
  readonly deaths: number
  /** How long to wait before the next one is started, in milliseconds. */
  readonly delay: number
}

/**
 * Decides how long to wait after a process died.
 *
 * @param before what was decided at the last death of its predecessors.
 * @param servedMs how long this one has served.
 */
export function nextDeath(before: DeathRow | undefined, servedMs: number): DeathRow {
  const deaths = servedMs >= LONG_LIFE_MS ? 1 : (before?.deaths ?? 0) + 1
  return { deaths, delay: Math.min(LONGEST_MS, FIRST_MS * 2 ** (deaths - 1)) }
}
