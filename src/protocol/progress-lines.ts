import type { ProgressEvent, ProgressPhase } from '../pack/progress.ts'

/** The titles under which git shows what a server does. What only a client shows is left out. */
const TITLES: Readonly<Partial<Record<ProgressPhase, string>>> = {
  enumerating: 'Enumerating objects',
  counting: 'Counting objects',
  compressing: 'Compressing objects',
  resolving: 'Resolving deltas',
}

const INTERVAL_MILLISECONDS = 1000

/**
 * Turns progress events into the lines that git users know, as rarely as git prints them: at each new per cent, or once
 * a second where the total is unknown, and once with `, done.` when a phase ends.
 */
export class ProgressLines {
  readonly #now: () => number
  #event: ProgressEvent | undefined
  #percent = -1
  #shownAt: number
  #width = 0

  /** @param now milliseconds, of any origin */
  constructor(now: () => number = Date.now) {
    this.#now = now
    this.#shownAt = now()
  }

  /** The text to send after this event; mostly empty. */
  onEvent(event: ProgressEvent): string {
    if (TITLES[event.phase] === undefined) return ''
    const ended = this.#event !== undefined && this.#event.phase !== event.phase ? this.finish() : ''
    this.#event = event
    const percent = percentOf(event)
    const due = this.#now() - this.#shownAt >= INTERVAL_MILLISECONDS
    if (!due && (percent === undefined || percent === this.#percent)) return ended
    this.#percent = percent ?? -1
    return ended + this.#line(event, '\r')
  }

  /** Ends the current phase, if there is one: its last line. */
  finish(): string {
    const event = this.#event
    if (event === undefined) return ''
    // A phase that had nothing to do is not worth a line.
    const line = event.done === 0 ? '' : this.#line(event, ', done.\n')
    this.#event = undefined
    this.#percent = -1
    this.#width = 0
    return line
  }

  #line(event: ProgressEvent, end: string): string {
    const percent = percentOf(event)
    const count =
      percent === undefined
        ? `${event.done}`
        : `${String(percent).padStart(3)}% (${event.done}/${event.total ?? 0})`
    // A shorter count than before is followed by blanks that wipe what it leaves standing.
    const wipe = count.length < this.#width ? ' '.repeat(this.#width - count.length) : ''
    this.#width = count.length
    this.#shownAt = this.#now()
    return `${TITLES[event.phase] ?? ''}: ${count}${wipe}${end}`
  }
}

/** How far a phase is; enumerating has no goal before it is there, so it only counts. */
function percentOf(event: ProgressEvent): number | undefined {
  if (event.phase === 'enumerating') return undefined
  return event.total === undefined || event.total === 0
    ? undefined
    : Math.floor((event.done * 100) / event.total)
}
