import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord, TokenRecord } from '../registry/records.ts'
import { tokenState } from '../registry/records.ts'
import { remoteOf } from '../repositories/remote.ts'
import type { CreatedRepository } from '../repositories/reserve-repository.ts'
import type { MintedToken } from '../tokens/token-actions.ts'
import type {
  CreatedInfo,
  CreatedToken,
  ListedRepository,
  RepositoryInfo,
  RepositoryRow,
  TokenInfo,
} from './binding-types.ts'

/** What the binding shows of a repository. */
export function repositoryInfo(hub: HubContext, record: RepositoryRecord): RepositoryInfo {
  return { ...repositoryRow(record), remote: remoteOf(hub, record) }
}

export function listedRepository(record: RepositoryRecord): ListedRepository {
  return { ...repositoryRow(record), status: record.status }
}

export function createdInfo(hub: HubContext, { record, token }: CreatedRepository): CreatedInfo {
  const { id, name, description, defaultBranch } = record
  return { id, name, description, defaultBranch, remote: remoteOf(hub, record), token: token.plaintext }
}

export function createdToken({ record, plaintext }: MintedToken): CreatedToken {
  return { id: record.id, plaintext, scope: record.scope, expiresAt: moment(record.expiresAt) }
}

export function tokenInfo(token: TokenRecord, now: number): TokenInfo {
  const { id, scope, createdAt, expiresAt } = token
  return {
    id,
    scope,
    state: tokenState(token, now),
    createdAt: moment(createdAt),
    expiresAt: moment(expiresAt),
  }
}

function repositoryRow(record: RepositoryRecord): RepositoryRow {
  const { id, name, description, defaultBranch, createdAt, updatedAt, lastPushAt, source, readOnly } = record
  return {
    id,
    name,
    description,
    defaultBranch,
    createdAt: moment(createdAt),
    updatedAt: moment(updatedAt),
    lastPushAt: lastPushAt === null ? null : moment(lastPushAt),
    source,
    readOnly,
  }
}

function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
