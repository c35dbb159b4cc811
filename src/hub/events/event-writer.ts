import type { RepositoryRecord, TokenRecord } from '../registry/records.ts'

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
  cloned: none,
  fetched: none,
  tokenCreated: none,
  tokenRevoked: none,
}
