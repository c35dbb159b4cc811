import type { RefEdit, RefOutcome } from '../../refs/ref-edit.ts'
import type { RepositoryRecord, TokenRecord } from '../registry/records.ts'

/** Makes the texts of a change of refs inside its atomic step: `StorageCommit.events`, for edits that are known before. */
export type PushedTexts = (edits: readonly RefEdit[], outcomes: readonly RefOutcome[]) => readonly string[]

/**
 * Words events for the outbox. Each method gives the texts (none, where nobody listens) that are stored in the same step as the change.
 */
export interface EventWriter {
  created(repository: RepositoryRecord): readonly string[]
  deleted(repository: RepositoryRecord, at: number): readonly string[]
  forked(source: RepositoryRecord, fork: RepositoryRecord): readonly string[]
  imported(
    repository: RepositoryRecord,
    origin: { readonly url: string; readonly branch: string | undefined },
  ): readonly string[]
  /** For the repository's own outbox: one event for each ref that changed. */
  pushed(repository: RepositoryRecord, at: number): PushedTexts
  cloned(repository: RepositoryRecord, at: number): readonly string[]
  fetched(repository: RepositoryRecord, at: number): readonly string[]
  tokenCreated(repository: RepositoryRecord, token: TokenRecord): readonly string[]
  tokenRevoked(repository: RepositoryRecord, token: TokenRecord, at: number): readonly string[]
}

const none = (): readonly string[] => []

/** For a hub that nobody listens to. */
export const NO_EVENTS: EventWriter = {
  created: none,
  deleted: none,
  forked: none,
  imported: none,
  pushed: () => none,
  cloned: none,
  fetched: none,
  tokenCreated: none,
  tokenRevoked: none,
}
