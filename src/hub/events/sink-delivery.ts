import { GitError } from '../../errors.ts'
import type { EventSink } from './event-sink.ts'
import type { HubEvent } from './hub-event.ts'
import { KeyedRuns } from './keyed-runs.ts'
import { readParked, type OutboxContext, type OutboxEvent } from './outbox.ts'
import { sinkKey, sinkOutboxName } from './sink-outbox.ts'
import { pause, untilAborted } from './until-aborted.ts'

/** When an event that a sink did not take comes again: after the first wait, then each time after twice as long. */
export interface RetryOptions {
  /** How often an event is offered before it is given up. Default 16, which is some 4 hours with the other defaults. */
  readonly attempts?: number
  /** Milliseconds. Default 1000. */
  readonly firstWait?: number
  /** Milliseconds. Default 30 minutes. */
  readonly longestWait?: number
}

/** What delivering to a sink takes of a hub. */
export interface SinkContext extends OutboxContext {
  /** Keeps the host awake while events are on the way. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
  /** Fires when the hub is closed. */
  readonly closing: AbortSignal
}

/** How an offer of an event ended. */
type Offered = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly cause: unknown }

/** An offer that is still open when its event is put aside. */
interface OpenOffer {
  /** Of the event. */
  readonly id: string
  readonly outcome: Promise<Offered>
}

/** Events of a sink's own outbox that are read at a time. */
const BATCH = 50

/**
 * Delivers events to one sink. What it does not take, and everything of the same repository behind it, is put aside in an outbox of its
 * own, from where it comes again: neither a sink that refuses nor one that hangs is in the way of others, and memory holds one batch at
 * most, none while it waits.
 */
export class SinkDelivery {
  readonly #context: SinkContext
  readonly #sink: EventSink
  readonly #retry: RetryOptions
  /** Repositories whose put aside events are on the way. */
  readonly #runs = new KeyedRuns()

  constructor(context: SinkContext, sink: EventSink, retry: RetryOptions = {}) {
    this.#context = context
    this.#sink = sink
    this.#retry = retry
  }

  /** What outboxes of this sink are named after. */
  get key(): string {
    return sinkKey(this.#sink.name)
  }

  /**
   * Offers the next events of a repository, in order. Resolves when each was taken or put aside, so that their own outbox need not keep
   * them.
   *
   * @param late when to put aside what was not taken by then.
   */
  async deliver(repository: string, events: readonly OutboxEvent[], late: Promise<'late'>): Promise<void> {
    if (await this.#hasParked(repository)) {
      await this.#park(repository, events)
      return
    }
    for (const [at, { event }] of events.entries()) {
      const outcome = this.#offer(event)
      const first = await Promise.race([outcome, late])
      if (first !== 'late' && first.kind === 'taken') continue
      await this.#park(repository, events.slice(at), { id: event.id, outcome })
      return
    }
  }

  /** Takes up what was put aside of a repository. */
  resume(repository: string): void {
    this.#start(repository)
  }

  /** The end of what is on the way. */
  close(): Promise<void> {
    return this.#runs.allSettled()
  }

  /** Another process may have put aside what came before, and has then dropped it where the next ones were read from. */
  async #hasParked(repository: string): Promise<boolean> {
    if (this.#runs.has(repository)) return true
    return (await this.#context.registry.readEvents(this.#outbox(repository), 1)).length > 0
  }

  async #park(repository: string, events: readonly OutboxEvent[], open?: OpenOffer): Promise<void> {
    const texts = events.map(({ text }) => text)
    await this.#context.registry.appendEvents(this.#outbox(repository), texts)
    this.#start(repository, open)
  }

  #start(repository: string, open?: OpenOffer): void {
    const run = this.#runs.start(repository, async () => {
      try {
        await this.#deliverParked(repository, open)
      } catch (error) {
        if (!this.#context.closing.aborted) this.#context.onError(error)
      }
    })
    this.#context.waitUntil?.(run)
  }

  async #deliverParked(repository: string, open?: OpenOffer): Promise<void> {
    const { registry, closing } = this.#context
    const outbox = this.#outbox(repository)
    let offer = open
    let refusals = 0
    for (;;) {
      const parked = await readParked(this.#context, outbox, BATCH)
      if (parked.length === 0) return
      const over: number[] = []
      let isRefused = false
      try {
        for (const { sequence, event } of parked) {
          if (event !== undefined) {
            const outcome = await (offer?.id === event.id ? offer.outcome : this.#offer(event))
            offer = undefined
            isRefused = outcome.kind === 'refused' && !this.#isGivenUp(event, ++refusals, outcome.cause)
            if (isRefused) break
            refusals = 0
          }
          over.push(sequence)
        }
      } finally {
        await registry.dropEvents(outbox, over)
      }
      if (isRefused) await pause(this.#waitAfter(refusals), closing)
    }
  }

  /** Rejects only when the hub is closed. */
  async #offer(event: HubEvent): Promise<Offered> {
    const { closing } = this.#context
    closing.throwIfAborted()
    const addressed = { ...event, metadata: { ...event.metadata, eventSubscriptionId: this.#sink.name } }
    try {
      await untilAborted(this.#sink.deliver(addressed, closing), closing)
      return { kind: 'taken' }
    } catch (cause) {
      closing.throwIfAborted()
      return { kind: 'refused', cause }
    }
  }

  #isGivenUp(event: HubEvent, refusals: number, cause: unknown): boolean {
    const { attempts = 16 } = this.#retry
    if (refusals < attempts) return false
    const { name } = this.#sink
    const message = `event ${event.id} was given up: '${name}' refused it ${refusals} times`
    this.#context.onError(new GitError('UNAVAILABLE', message, { details: { sink: name }, cause }))
    return true
  }

  #waitAfter(refusals: number): number {
    const { firstWait = 1000, longestWait = 1_800_000 } = this.#retry
    return Math.min(longestWait, firstWait * 2 ** (refusals - 1))
  }

  #outbox(repository: string): string {
    return sinkOutboxName({ sink: this.key, repository })
  }
}
