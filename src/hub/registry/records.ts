/** Where data of a namespace may lie. Kept as data: a hub stores where its storage is. */
export type Jurisdiction = 'unrestricted' | 'eu' | 'us' | 'fedramp'

/** A container of repositories. Moments here and below are in milliseconds since the epoch. */
export interface NamespaceRecord {
  /** As it was spelled when it was made; other spellings of case mean the same one. */
  readonly name: string
  readonly jurisdiction: Jurisdiction
  readonly createdAt: number
  readonly updatedAt: number
}

export interface NamespaceListing extends NamespaceRecord {
  readonly repositoryCount: number
}

/** What a repository is doing. Only a `ready` one can be used; the others are made of nothing but their record so far. */
export type RepositoryStatus = 'creating' | 'importing' | 'forking' | 'ready'

export interface RepositoryRecord {
  /** 16 characters of `[0-9a-z]`, never used again. The key of its storage is made of it, not of the name. */
  readonly id: string
  /** The namespace as it is spelled. */
  readonly namespace: string
  /** As it was spelled when it was made; other spellings of case mean the same one. */
  readonly name: string
  readonly description: string | null
  /** A branch, without `refs/heads/`. */
  readonly defaultBranch: string
  readonly readOnly: boolean
  /** Where its contents came from: `artifacts:<namespace>/<name>` or `git:<url>`. */
  readonly source: string | null
  readonly status: RepositoryStatus
  readonly createdAt: number
  readonly updatedAt: number
  readonly lastPushAt: number | null
  /**
   * While it is not ready: the moment from which on whoever is making it counts as dead, and others may finish or abandon it. Who makes
   * it renews this in time. `null` once it is ready.
   */
  readonly leaseUntil: number | null
  /** While it is not ready: what is needed to take its making up again, e.g. where it is imported from. Never credentials. */
  readonly work: string | null
}

export type TokenScope = 'read' | 'write'
export type TokenState = 'active' | 'expired' | 'revoked'

/** A token of one repository. Its secret is not in it. */
export interface TokenRecord {
  /** 16 characters of `[0-9a-z]`. */
  readonly id: string
  /** Id of the repository it opens. */
  readonly repository: string
  /** SHA-256 of the secret, in hexadecimal. */
  readonly hash: string
  readonly scope: TokenScope
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
}

/** What a token is good for at a moment. */
export function tokenState(token: TokenRecord, now: number): TokenState {
  if (token.revokedAt !== null) return 'revoked'
  return token.expiresAt <= now ? 'expired' : 'active'
}

/** An event that waits to be delivered. */
export interface RegistryEvent {
  /** Ascending in the order in which the events of an outbox came to be; never used again there. */
  readonly sequence: number
  readonly text: string
}

/** A repository whose storage may have events in its own outbox. */
export interface PendingRepository {
  readonly repository: string
  /** One for each change of refs that is under way, or whose process died. */
  readonly marks: readonly PendingMark[]
}

export interface PendingMark {
  readonly mark: number
  /** When it was made. */
  readonly at: number
}
