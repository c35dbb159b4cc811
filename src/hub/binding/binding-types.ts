import type { CommitChanges } from '../content/commit-changes.ts'
import type { CommitMetadata } from '../content/commit-metadata.ts'
import type { Difference, DifferenceQuery } from '../content/compare.ts'
import type { RefsPage, RefsQuery } from '../content/list-refs.ts'
import type { TreeListingEntry } from '../content/tree-listing.ts'
import type { CommitFilesOutcome } from '../../repository/write/commit-files.ts'

/** What a new repository is told to its maker. */
export interface CreatedInfo {
  id: string
  name: string
  description: string | null
  defaultBranch: string
  remote: string
  /** The one time at which it is shown. */
  token: string
}

export interface RepositoryRow {
  id: string
  name: string
  description: string | null
  defaultBranch: string
  createdAt: string
  updatedAt: string
  lastPushAt: string | null
  source: string | null
  readOnly: boolean
}

/** A row of a list. */
export interface ListedRepository extends RepositoryRow {
  status: 'creating' | 'importing' | 'forking' | 'ready'
}

export interface RepositoryInfo extends RepositoryRow {
  remote: string
}

export interface RepositoryList {
  repos: ListedRepository[]
  total: number
  cursor?: string
}

export interface CreatedToken {
  id: string
  plaintext: string
  scope: 'read' | 'write'
  expiresAt: string
}

export interface TokenInfo {
  id: string
  scope: 'read' | 'write'
  state: 'active' | 'expired' | 'revoked'
  createdAt: string
  expiresAt: string
}

export interface TokenList {
  /** The active ones first, then those that are over, newest first. */
  tokens: TokenInfo[]
  total: number
}

export interface CreateOptions {
  readOnly?: boolean
  description?: string
  setDefaultBranch?: string
}

export interface ForkOptions {
  description?: string
  readOnly?: boolean
  /** Default true. */
  defaultBranchOnly?: boolean
}

export interface ImportParameters {
  source: { url: string; branch?: string; depth?: number }
  target: { name: string; opts?: { description?: string; readOnly?: boolean } }
}

/**
 * One repository, as `Artifacts.get` of Cloudflare gives it: pinned to its id, so that it never means another one of the same name. The
 * methods reject with an `ArtifactsError`. Those behind the line are not in Artifacts.
 */
export interface RepositoryBinding {
  info(): Promise<RepositoryInfo>
  createToken(scope?: 'write' | 'read', ttl?: number): Promise<CreatedToken>
  listTokens(): Promise<TokenList>
  revokeToken(tokenOrId: string): Promise<boolean>
  readBlob(hash: string): Promise<Blob | null>
  readTree(hash: string): Promise<TreeListingEntry[] | null>
  readCommit(hash: string): Promise<CommitMetadata | null>
  readFile(file: { ref: string; path: string }): Promise<Blob | null>
  log(options?: { ref?: string; limit?: number; offset?: number }): Promise<CommitMetadata[]>
  fork(name: string, options?: ForkOptions): Promise<CreatedInfo>
  /** Lets go of it. Its methods reject from then on. */
  [Symbol.dispose](): void

  // ---

  /** Streams a blob of any size; `null` when it is absent, or another kind of object. */
  openBlob(hash: string): Promise<ReadableStream<Uint8Array> | null>
  listRefs(query?: RefsQuery): Promise<RefsPage>
  diff(query?: DifferenceQuery): Promise<Difference>
  mergeBases(left: string, right: string): Promise<string[]>
  commit(changes: CommitChanges): Promise<CommitFilesOutcome>
}

/** The repositories of one namespace, as the `Artifacts` binding of Cloudflare shows them. The methods reject with an `ArtifactsError`. */
export interface NamespaceBinding {
  create(name: string, options?: CreateOptions): Promise<CreatedInfo>
  get(name: string): Promise<RepositoryBinding>
  import(parameters: ImportParameters): Promise<CreatedInfo>
  list(options?: { limit?: number; cursor?: string }): Promise<RepositoryList>
  delete(name: string): Promise<boolean>
}
