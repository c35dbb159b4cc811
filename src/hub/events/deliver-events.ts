import { GitError } from '../../errors.ts'
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
  /** Keeps the host awake while events are on the way. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
}

/** How long, in milliseconds, sinks may take for a batch. What is not taken by then is put aside, and the others get the next one. */
const PATIENCE = 2000
/** How long, in milliseconds, the removal of a repository waits for events of it that are on the way. */
const REMOVAL_PATIENCE = 2 * PATIENCE
/** Marked repositories, and outboxes, that are listed at a time, and taken up before the next ones. */
const PAGE = 200

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
  /** The last known mark of each repository that may have events in its own outbox. */
  readonly #marks = new Map<string, number>()
  /** How many changes of refs are under way in this process, by repository: their marks stay. */
  readonly #pushes = new Map<string, number>()
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
    this.#pushes.set(repository, (this.#pushes.get(repository) ?? 0) + 1)
    const end = (): void => {
      const left = (this.#pushes.get(repository) ?? 1) - 1
      if (left === 0) this.#pushes.delete(repository)
      else this.#pushes.set(repository, left)
    }
    try {
      this.#noteMark(repository, await this.#context.registry.markPending(repository))
    } catch (error) {
      end()
      throw error
    }
    return () => {
      end()
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
      for (const { repository, mark } of page) this.#noteMark(repository, mark)
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

  #noteMark(repository: string, mark: number): void {
    this.#marks.set(repository, Math.max(mark, this.#marks.get(repository) ?? mark))
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
    const mark = this.#marks.get(id)
    const batch = await readOutbox(this.#context, id, {
      ownOutbox: mark !== undefined,
      pushedCommits: this.#pushedCommits,
    })
    if (batch.events.length > 0) {
      await withDeadline(PATIENCE, (late) =>
        Promise.all(this.#sinks.map((sink) => sink.deliver(id, batch.events, late))),
      )
    }
    await batch.drop()
    if (!batch.isDrained) return true
    if (mark !== undefined && !this.#pushes.has(id)) {
      await this.#context.registry.clearPending(id, mark)
      if (this.#marks.get(id) === mark) this.#marks.delete(id)
    }
    return false
  }
}
