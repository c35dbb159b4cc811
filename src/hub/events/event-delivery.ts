/** What brings events from the outboxes to whoever listens. */
export interface EventDelivery {
  /**
   * Announces that refs of a repository are about to change, and marks it in the registry, so that no event is forgotten by a process
   * that dies. To be called before the change is committed; the function it resolves with, once, when the change is over.
   */
  beginPush(repository: string): Promise<() => void>
  /** Says that a repository has new events. They are delivered in the background. */
  notify(repository: string): void
  /**
   * Delivers what is pending of a repository whose data is about to be removed: what its events tell has to be read before. Resolves when
   * nothing of it is needed any more.
   */
  beforeRemoval(repository: string): Promise<void>
  /** Begins with what earlier processes left behind. */
  start(): void
  /** Stops. What is not delivered stays in the outboxes for the next process. */
  close(): Promise<void>
}

/** For a hub that nobody listens to. */
export const NO_DELIVERY: EventDelivery = {
  beginPush: () => Promise.resolve(() => undefined),
  notify: () => undefined,
  beforeRemoval: () => Promise.resolve(),
  start: () => undefined,
  close: () => Promise.resolve(),
}
