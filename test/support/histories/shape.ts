import type { Random } from '../random.ts'

/** What a shape may use to fill a repository. */
export interface HistoryContext {
  /** An empty bare repository with the branch `main`. */
  readonly repository: string
  readonly random: Random
  /** How much of it: 1 is what an ordinary test takes. */
  readonly scale: number
}

/** Fills an empty bare repository with a history of one kind. */
export type HistoryShape = (context: HistoryContext) => Promise<void>
