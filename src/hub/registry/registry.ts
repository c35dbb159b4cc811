import type {
  NamespaceListing,
  NamespaceRecord,
  PendingRepository,
  RegistryEvent,
  RepositoryRecord,
  TokenRecord,
  TokenState,
} from './records.ts'

/** Texts for the outbox, of events about one repository, which are stored in the same step as the change that they tell of. */
export type RegistryEvents = readonly string[]

/** A place in a sorted list: that of a row, which need not be there any more. */
export interface Position {
  /** What the row is sorted by. */
  readonly value: string | number
  /** What decides between rows of equal values; '' in lists that have none. */
  readonly id: string
}

/** Which part of a list is wanted: so many rows behind a place, or behind so many others. */
export interface PageRequest {
  /** Most rows. */
  readonly limit: number
  /** From the page before. Rows that come and go meanwhile neither repeat nor hide others. */
  readonly after?: Position
  /** Rows to skip, instead of a place. The cost grows with them. */
  readonly offset?: number
  /** Whether the number of all rows is wanted. Counting what a search finds costs more than listing it. */
  readonly withTotal?: boolean
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** The place behind which the next page begins; absent on the last one. */
  readonly next?: Position
  /** The number of all rows, where it was wanted. */
  readonly total?: number
}

export interface RepositoryQuery extends PageRequest {
  readonly namespace: string
  /** Text that is part of the name; case does not matter. */
  readonly search?: string
  /** Ties are in order of ids. A repository that was never pushed to counts as pushed to before all others. */
  readonly sort: RepositorySort
  readonly direction: 'asc' | 'desc'
}

export type RepositorySort = 'created_at' | 'updated_at' | 'last_push_at' | 'name'

export interface TokenQuery {
  readonly repository: string
  /** All states where it is absent. */
  readonly state?: TokenState
  /** The moment at which states are judged. */
  readonly now: number
  readonly limit: number
  readonly offset: number
}

/** What a new repository's record comes with. */
export interface NewRepository {
  readonly record: RepositoryRecord
  /** Its first token. */
  readonly token: TokenRecord
  readonly events?: RegistryEvents
}

/** What becomes of a record when its repository is ready. */
export interface FinishedRepository {
  readonly updatedAt: number
  readonly defaultBranch?: string
  readonly source?: string | null
  readonly lastPushAt?: number | null
  readonly events?: RegistryEvents
}

/**
 * What the hub knows about namespaces, repositories and tokens.
 *
 * A registry is dumb: it stores records as they are given, and judges neither names nor rights. Every call is one atomic step, seen by
 * every call that starts after it has resolved, on every process. What it wrote is durable by then, except for pushes and marks
 * (`recordPush`, `markPending`, `clearPending`) and for events that were dropped: a crash of the machine may undo the last of those.
 * Names of namespaces, and of repositories within one, are the same when they differ in the case of ASCII letters only.
 */
export interface Registry {
  /** For messages, e.g. `memory` or `sqlite:/srv/hub.db`. */
  readonly location: string

  /** Adds a namespace; false when there is one of this name. */
  createNamespace(record: NamespaceRecord): Promise<boolean>
  findNamespace(name: string): Promise<NamespaceListing | undefined>
  /** In order of names, in lower case. */
  listNamespaces(page: PageRequest): Promise<Page<NamespaceListing>>
  /** Removes a namespace that has no repositories. */
  deleteNamespace(name: string): Promise<'deleted' | 'absent' | 'not-empty'>

  /**
   * Adds a repository, and its namespace (unrestricted) where there is none. False when the name is taken by a repository of any
   * status: of concurrent calls for one name exactly one succeeds.
   */
  createRepository(repository: NewRepository): Promise<boolean>
  /** The repository of this name, whatever its status. */
  findRepository(namespace: string, name: string): Promise<RepositoryRecord | undefined>
  readRepository(id: string): Promise<RepositoryRecord | undefined>
  /** A page of the repositories of a namespace, in any status; an empty one where there is no such namespace. */
  listRepositories(query: RepositoryQuery): Promise<Page<RepositoryRecord>>
  /** Makes a repository ready. False when it is gone, or ready already: then nothing has changed. */
  finishRepository(id: string, result: FinishedRepository): Promise<boolean>
  /** Says that a repository is still being made, and by what work. False when it is gone, or ready. */
  renewLease(id: string, leaseUntil: number, work?: string): Promise<boolean>
  /** Takes over a repository whose lease is over by giving it a new one. False when somebody else has, or it is gone or ready. */
  takeLease(id: string, now: number, leaseUntil: number): Promise<boolean>
  /** Repositories that are not ready and whose lease is over. */
  listStale(now: number, limit: number): Promise<readonly RepositoryRecord[]>
  /** Notes that refs changed at a moment: `lastPushAt` and `updatedAt` never go back. Ignored when the repository is gone. */
  recordPush(id: string, at: number): Promise<void>
  /**
   * Removes a repository with its tokens, and notes its id for {@link listCleanups}. With a `name`, a tombstone of it stays, which
   * {@link findTombstone} finds; one that was never ready leaves none.
   *
   * @param id so that a repository which took the same name meanwhile is not meant.
   * @returns false when there was none of this id
   */
  deleteRepository(
    id: string,
    options: { readonly tombstone: boolean; readonly events?: RegistryEvents },
  ): Promise<boolean>
  /** The id of the last repository that had this name and was deleted, unless one has it again. */
  findTombstone(namespace: string, name: string): Promise<string | undefined>
  /** Ids of deleted repositories whose data is yet to be removed. */
  listCleanups(limit: number): Promise<readonly string[]>
  finishCleanup(id: string): Promise<void>

  /** Adds a token, and forgets the oldest of those of its repository that are over, beyond `keepOver` of them. False when the repository is gone. */
  createToken(
    token: TokenRecord,
    options: { readonly keepOver: number; readonly events?: RegistryEvents },
  ): Promise<boolean>
  findToken(id: string): Promise<TokenRecord | undefined>
  findTokenByHash(hash: string): Promise<TokenRecord | undefined>
  /** Newest first. */
  listTokens(query: TokenQuery): Promise<{ readonly tokens: readonly TokenRecord[]; readonly total: number }>
  /** Marks a token as revoked. False when it was already, or is not there. */
  revokeToken(id: string, at: number, events?: RegistryEvents): Promise<boolean>

  /**
   * Stores events in the outbox of a repository, which need not exist: outboxes of other names, of lower-case ASCII letters, digits and
   * `-`, are as good.
   */
  appendEvents(repository: string, events: RegistryEvents): Promise<void>
  /** Names of outboxes that have events, and perhaps of some that had, in order. */
  listOutboxes(limit: number, after?: string): Promise<readonly string[]>
  /** The oldest events of an outbox, in order. */
  readEvents(repository: string, limit: number): Promise<readonly RegistryEvent[]>
  /** Forgets events of an outbox. Unknown numbers are ignored. */
  dropEvents(repository: string, sequences: readonly number[]): Promise<void>
  /**
   * Marks a repository as one whose storage may have events in its own outbox, beside the marks that it has. Done before refs change, so
   * that no event is forgotten by a process that dies. Returns the number of the mark, which the repository has not had before.
   */
  markPending(repository: string, at: number): Promise<number>
  /** Takes marks away. Unknown numbers are ignored. */
  clearPending(repository: string, marks: readonly number[]): Promise<void>
  /** Marked repositories, in order of ids. */
  listPending(limit: number, after?: string): Promise<readonly PendingRepository[]>

  close(): Promise<void>
}
