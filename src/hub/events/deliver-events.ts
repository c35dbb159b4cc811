import { GitError } from '../../errors.ts'
import type { RegistryEvent } from '../registry/records.ts'
import type { EventDelivery } from './event-delivery.ts'
import type { EventSink } from './event-sink.ts'
import type { HubEvent } from './hub-event.ts'
import { moveToRegistry, readOutbox, type OutboxContext } from './outbox.ts'
import type { PushedCommits } from './push-payload.ts'

/** When an event that a sink did not take comes again: after the first wait, then each time after twice as long. */
export interface RetryOptions {
  /** How often an event is offered before it is given up. Default 16, which is some 4 hours with the other defaults. */
  readonly attempts?: number
  /** Milliseconds. Default 1000. */
  readonly firstWait?: number
  /** Milliseconds. Default 30 minutes. */
  readonly longestWait?: number
}

export interface DeliverEventsOptions {
  readonly sinks: readonly EventSink[]
  readonly retry?: RetryOptions
  readonly pushedCommits?: PushedCommits
}

/** What delivering takes of a hub. */
export interface DeliveryContext extends OutboxContext {
  /** Keeps the host awake while events are on the way. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
}

/** Events of the registry that are read at a time, besides those that are being delivered. */
const BATCH = 500
/** How long, in milliseconds, the removal of a repository waits for events of it that are on the way. */
const REMOVAL_PATIENCE = 2000
/** Marked repositories that are listed at a time. */
const PAGE = 200

/**
 * Creates what delivers a hub's events: those of one repository in order, those of different ones side by side, to each sink on its own.
 * A sink that does not take an event gets it again later; the others go on, up to some hundred events of the same repository.
 */
export function createEventDelivery(context: DeliveryContext, options: DeliverEventsOptions): EventDelivery {
  return new Deliverer(context, options)
}

class Deliverer implements EventDelivery {
  readonly #context: DeliveryContext
  readonly #options: DeliverEventsOptions
  readonly #closing = new AbortController()
  /** Repositories with events on the way. */
  readonly #lanes = new Map<string, Promise<void>>()
  /** How many changes of refs are under way in this process, by repository: their marks stay. */
  readonly #pushes = new Map<string, number>()
  /** Events of the registry that are on the way. */
  #held = 0
  #polling: Promise<void> | undefined
  #again = false

  constructor(context: DeliveryContext, options: DeliverEventsOptions) {
    this.#context = context
    this.#options = options
  }

  async beginPush(repository: string): Promise<() => void> {
    this.#pushes.set(repository, (this.#pushes.get(repository) ?? 0) + 1)
    const end = (): void => {
      const left = (this.#pushes.get(repository) ?? 1) - 1
      if (left === 0) this.#pushes.delete(repository)
      else this.#pushes.set(repository, left)
    }
    try {
      await this.#context.registry.markPending(repository)
    } catch (error) {
      end()
      throw error
    }
    return () => {
      end()
      this.notify()
    }
  }

  notify(): void {
    if (this.#closing.signal.aborted) return
    if (this.#polling !== undefined) {
      this.#again = true
      return
    }
    this.#polling = this.#poll()
      .catch(this.#context.onError)
      .finally(() => {
        this.#polling = undefined
        if (!this.#again) return
        this.#again = false
        this.notify()
      })
    this.#context.waitUntil?.(this.#polling)
  }

  start(): void {
    this.notify()
  }

  async beforeRemoval(repository: string): Promise<void> {
    // What is on the way would come twice if it were moved; but whoever does not take it must not keep the repository.
    const lane = this.#lanes.get(repository)
    if (lane !== undefined) await waitAtMost(REMOVAL_PATIENCE, lane)
    await moveToRegistry(this.#context, repository, this.#options.pushedCommits ?? 'first-parent')
    this.notify()
  }

  async close(): Promise<void> {
    this.#closing.abort(new GitError('ABORTED', 'the hub is being closed'))
    await this.#polling
    await Promise.all(this.#lanes.values())
  }

  /** Looks for events, and sends those of repositories that have none on the way. */
  async #poll(): Promise<void> {
    const { registry } = this.#context
    const byRepository = new Map<string, RegistryEvent[]>()
    for (const event of await registry.readEvents(BATCH + this.#held)) {
      const events = byRepository.get(event.repository)
      if (events === undefined) byRepository.set(event.repository, [event])
      else events.push(event)
    }
    const marks = new Map<string, number>()
    let after: string | undefined
    for (;;) {
      const page = await registry.listPending(PAGE, after)
      for (const { repository, mark } of page) marks.set(repository, mark)
      after = page.at(-1)?.repository
      if (page.length < PAGE) break
    }
    for (const id of new Set([...byRepository.keys(), ...marks.keys()])) {
      if (this.#lanes.has(id)) continue
      const lane = this.#run(id, byRepository.get(id) ?? [], marks.get(id))
      this.#lanes.set(id, lane)
      this.#context.waitUntil?.(lane)
    }
  }

  async #run(id: string, listed: readonly RegistryEvent[], mark: number | undefined): Promise<void> {
    this.#held += listed.length
    let delivered = 0
    try {
      delivered = await this.#deliver(id, listed, mark)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#context.onError(error)
    } finally {
      this.#held -= listed.length
      this.#lanes.delete(id)
      if (delivered > 0) this.notify()
    }
  }

  /** Delivers one batch of one repository; resolves with its size. */
  async #deliver(id: string, listed: readonly RegistryEvent[], mark: number | undefined): Promise<number> {
    const { pushedCommits = 'first-parent', sinks } = this.#options
    const batch = await readOutbox(this.#context, id, listed, {
      ownOutbox: mark !== undefined,
      pushedCommits,
    })
    await Promise.all(sinks.map((sink) => this.#deliverTo(sink, batch.events)))
    await batch.drop()
    if (mark !== undefined && batch.isDrained && !this.#pushes.has(id))
      await this.#context.registry.clearPending(id, mark)
    return listed.length + batch.events.length
  }

  async #deliverTo(sink: EventSink, events: readonly HubEvent[]): Promise<void> {
    const { attempts = 16 } = this.#options.retry ?? {}
    const { signal } = this.#closing
    for (const event of events) {
      const addressed = { ...event, metadata: { ...event.metadata, eventSubscriptionId: sink.name } }
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted()
        try {
          await sink.deliver(addressed, signal)
          break
        } catch (cause) {
          signal.throwIfAborted()
          if (attempt >= attempts) {
            const message = `event ${event.id} was given up: '${sink.name}' refused it ${attempt} times`
            this.#context.onError(
              new GitError('UNAVAILABLE', message, { details: { sink: sink.name }, cause }),
            )
            break
          }
        }
        await pause(this.#waitAfter(attempt), signal)
      }
    }
  }

  #waitAfter(attempt: number): number {
    const { firstWait = 1000, longestWait = 1_800_000 } = this.#options.retry ?? {}
    return Math.min(longestWait, firstWait * 2 ** (attempt - 1))
  }
}

/** Waits for something, but not for ever. */
async function waitAtMost(milliseconds: number, awaited: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  try {
    await Promise.race([awaited, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits; rejects with the signal's reason when it fires before. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', abort, { once: true })
  })
}
