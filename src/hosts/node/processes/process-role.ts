import { randomBytes } from 'node:crypto'

/** What a process is among those that serve the same store. */
export interface ProcessRole {
  /** Whether this one does what is to be done once for all: maintenance, delivery of events, what was left undone. One at a time is it. */
  readonly isKeeper: boolean
  /** Whether this is the first process of all, and not one that took the place of another. */
  readonly isFirst: boolean
  /** A text that nobody can guess, the same in all processes. */
  readonly secret: string
  /** Tells the keeper something. It is lost where there is no keeper at the moment, because it has died. */
  readonly tellKeeper: (text: string) => void
  /** Has a listener called, in the keeper, with what is told. */
  readonly onTold: (listener: (text: string) => void) => void
}

/** The role of a process that serves alone. */
export function createSoleRole(): ProcessRole {
  const listeners: ((text: string) => void)[] = []
  return {
    isKeeper: true,
    isFirst: true,
    secret: randomBytes(20).toString('hex'),
    tellKeeper: (text) => {
      for (const listener of listeners) listener(text)
    },
    onTold: (listener) => {
      listeners.push(listener)
    },
  }
}
