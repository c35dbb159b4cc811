import { GitError } from '../../errors.ts'
import type { PendingRepository } from '../registry/records.ts'
import type { EventDelivery } from './event-delivery.ts'
import type { EventSink } from './event-sink.ts'
import { KeyedRuns } from './keyed-runs.ts'
import { moveToRegistry, readOutbox, type OutboxContext } from './outbox.ts'
import type { PushedCommits } from './push-payload.ts'
import { SinkDelivery, type RetryOptions } from './sink-delivery.ts'
import { parseSinkOutboxName } from './sink-outbox.ts'
import { withDeadline } from './until-aborted.ts'

export interface DeliverEventsOptions {
  /** Each of a name of its own. What waits for a sink waits until there is one of its name. */
  readonly sinks: readonly EventSink[]
  readonly retry?: RetryOptions
  readonly pushedCommits?: PushedCommits
}

/** What delivering takes of a hub. */
export interface DeliveryContext extends OutboxContext {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Keeps the host awake while events are on the way. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
}

/** How long, in milliseconds, sinks may take for a batch. What is not taken by then is put aside, and the others get the next one. */
const PATIENCE = 2000
/** How long, in milliseconds, the removal of a repository waits for events of it that are on the way. */
const REMOVAL_PATIENCE = 2 * PATIENCE
/** Marked repositories, and outboxes, that are listed at a time, and taken up before the next ones. */
const PAGE = 200
/** From this age on, in milliseconds, a mark is that of a process which died: no change of refs is under way for so long. */
const OLD_MARK = 86_400_000

/** What is known of the marks of a repository. */
interface KnownMarks {
  /** Those of changes that are under way in this process. */
  readonly underWay: Set<number>
  /** Those of changes that are over: they go when the repository's own outbox is empty. */
  readonly over: Set<number>
  /** Whether something may have come to that outbox since it was last read. */
  isUnread: boolean
}

/**
 * Creates what delivers a hub's events: those of one repository in order, those of different ones side by side, to each sink on its own.
 * A sink that does not take an event gets it again later, and what follows it of the same repository after it.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createEventDelivery(context: DeliveryContext, options: DeliverEventsOptions): EventDelivery {
  const names = options.sinks.map(({ name }) => name)
  if (names.includes('') || new Set(names).size < names.length) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `sinks are named '${names.join("', '")}'; expected a name of its own for each`,
    )
  }
  return new Deliverer(context, options)
}

class Deliverer implements EventDelivery {
  readonly #context: DeliveryContext
  readonly #pushedCommits: PushedCommits
  readonly #sinks: readonly SinkDelivery[]
  readonly #closing = new AbortController()
  /** Repositories with events on the way. */
  readonly #runs = new KeyedRuns()
  /** Repositories that may have events in their own outboxes. */
  readonly #marks = new Map<string, KnownMarks>()
  /** Sinks that events wait for, and that this hub does not have. */
  readonly #missed = new Set<string>()
  #starting: Promise<void> | undefined

  constructor(context: DeliveryContext, { sinks, retry, pushedCommits }: DeliverEventsOptions) {
    this.#context = context
    this.#pushedCommits = pushedCommits ?? 'first-parent'
    const shared = { ...context, closing: this.#closing.signal }
    this.#sinks = sinks.map((sink) => new SinkDelivery(shared, sink, retry))
  }

  async beginPush(repository: string): Promise<() => void> {
    const mark = await this.#context.registry.markPending(repository, this.#context.now())
    this.#marksOf(repository).underWay.add(mark)
    return () => {
      const marks = this.#marksOf(repository)
      marks.underWay.delete(mark)
      marks.over.add(mark)
      marks.isUnread = true
      this.notify(repository)
    }
  }

  notify(repository: string): void {
    if (this.#closing.signal.aborted) return
    const run = this.#run(repository)
    this.#context.waitUntil?.(run)
  }

  start(): void {
    if (this.#closing.signal.aborted || this.#starting !== undefined) return
    this.#starting = this.#takeUp()
      .catch(this.#context.onError)
      .finally(() => {
        this.#starting = undefined
      })
    this.#context.waitUntil?.(this.#starting)
  }

  async beforeRemoval(repository: string): Promise<void> {
    // What is on the way would come twice if it were moved; but whoever does not take it must not keep the repository.
    await withDeadline(REMOVAL_PATIENCE, (late) => Promise.race([this.#runs.settled(repository), late]))
    await moveToRegistry(this.#context, repository, this.#pushedCommits)
    this.notify(repository)
  }

  async close(): Promise<void> {
    this.#closing.abort(new GitError('ABORTED', 'the hub is being closed'))
    await this.#starting
    await this.#runs.allSettled()
    await Promise.all(this.#sinks.map((sink) => sink.close()))
  }

  /** Takes up what others left behind, so many repositories at a time. */
  async #takeUp(): Promise<void> {
    const { registry } = this.#context
    const { signal } = this.#closing
    for (let after: string | undefined; ;) {
      const page = await registry.listPending(PAGE, after)
      for (const pending of page) this.#noteMarks(pending)
      await Promise.all(page.map(({ repository }) => this.#run(repository)))
      after = page.at(-1)?.repository
      if (page.length < PAGE || signal.aborted) break
    }
    for (let after: string | undefined; ;) {
      const page = await registry.listOutboxes(PAGE, after)
      await Promise.all(page.map((name) => this.#takeUpOutbox(name)))
      after = page.at(-1)
      if (page.length < PAGE || signal.aborted) break
    }
  }

  async #takeUpOutbox(name: string): Promise<void> {
    const parked = parseSinkOutboxName(name)
    if (parked === undefined) return this.#run(name)
    const sink = this.#sinks.find(({ key }) => key === parked.sink)
    if (sink !== undefined) {
      sink.resume(parked.repository)
    } else if (!this.#missed.has(parked.sink)) {
      this.#missed.add(parked.sink)
      const message = `events wait in '${name}' for a sink that this hub does not have; they come when there is one of its name`
      this.#context.onError(new GitError('NOT_FOUND', message, { details: { outbox: name } }))
    }
  }

  #marksOf(repository: string): KnownMarks {
    const known = this.#marks.get(repository)
    if (known !== undefined) return known
    const marks: KnownMarks = { underWay: new Set(), over: new Set(), isUnread: true }
    this.#marks.set(repository, marks)
    return marks
  }

  /** Notes marks that others made. What they tell of may still be under way, and its event yet to come: only old ones may go. */
  #noteMarks({ repository, marks }: PendingRepository): void {
    const known = this.#marksOf(repository)
    known.isUnread = true
    const old = this.#context.now() - OLD_MARK
    for (const { mark, at } of marks) {
      if (at <= old && !known.underWay.has(mark)) known.over.add(mark)
    }
  }

  /** Delivers what waits of a repository; after what is on the way where there is something. */
  #run(repository: string): Promise<void> {
    return this.#runs.start(repository, async () => {
      try {
        let hasMore = true
        while (hasMore) hasMore = await this.#deliverBatch(repository)
      } catch (error) {
        if (!this.#closing.signal.aborted) this.#context.onError(error)
      }
    })
  }

  /** Delivers one batch of one repository; whether there may be more. */
  async #deliverBatch(id: string): Promise<boolean> {
    this.#closing.signal.throwIfAborted()
    const marks = this.#marks.get(id)
    const over = [...(marks?.over ?? [])]
    if (marks !== undefined) marks.isUnread = false
    const batch = await readOutbox(this.#context, id, {
      ownOutbox: marks !== undefined,
      pushedCommits: this.#pushedCommits,
    })
    if (batch.events.length > 0) {
      await withDeadline(PATIENCE, (late) =>
        Promise.all(this.#sinks.map((sink) => sink.deliver(id, batch.events, late))),
      )
    }
    await batch.drop()
    if (!batch.isDrained) return true
    if (marks !== undefined) await this.#clearMarks(id, marks, over)
    return false
  }

  /** Clears marks of changes that were over before an outbox was read to its end. */
  async #clearMarks(id: string, marks: KnownMarks, over: readonly number[]): Promise<void> {
    if (over.length > 0) await this.#context.registry.clearPending(id, over)
    for (const mark of over) marks.over.delete(mark)
    if (!marks.isUnread && marks.underWay.size === 0 && marks.over.size === 0) this.#marks.delete(id)
  }
}
