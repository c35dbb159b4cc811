import type { HubContext } from '../hub-context.ts'
import type { NamespaceListing, RepositoryRecord, TokenRecord } from '../registry/records.ts'
import { tokenState } from '../registry/records.ts'
import { remoteOf } from '../repositories/remote.ts'
import type { CreatedRepository } from '../repositories/reserve-repository.ts'
import type { MintedToken } from '../tokens/token-actions.ts'

/** What REST shows of things, in the order of fields in which Artifacts shows them. */

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export function toNamespaceJson(namespace: NamespaceListing): Record<string, unknown> {
  return {
    namespace: namespace.name,
    jurisdiction: namespace.jurisdiction,
    repo_count: namespace.repositoryCount,
    created_at: isoTime(namespace.createdAt),
    updated_at: isoTime(namespace.updatedAt),
  }
}

export function toRepositoryJson(hub: HubContext, record: RepositoryRecord): Record<string, unknown> {
  return {
    id: record.id,
    name: record.name,
    description: record.description,
    default_branch: record.defaultBranch,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
    last_push_at: record.lastPushAt === null ? null : isoTime(record.lastPushAt),
    source: record.source,
    read_only: record.readOnly,
    remote: remoteOf(hub, record),
  }
}

/** With the number of its objects where that is to be shown: that of a fork is, that of an import is not. */
export function toCreatedJson(
  hub: HubContext,
  { record, token, objects }: CreatedRepository,
): Record<string, unknown> {
  return {
    id: record.id,
    name: record.name,
    description: record.description,
    default_branch: record.defaultBranch,
    remote: remoteOf(hub, record),
    token: token.plaintext,
    ...(objects === undefined ? {} : { objects }),
  }
}

export function toTokenJson(token: TokenRecord, now: number): Record<string, unknown> {
  return {
    id: token.id,
    scope: token.scope,
    state: tokenState(token, now),
    created_at: isoTime(token.createdAt),
    expires_at: isoTime(token.expiresAt),
  }
}

export function toMintedTokenJson({ record, plaintext }: MintedToken): Record<string, unknown> {
  return { id: record.id, plaintext, scope: record.scope, expires_at: isoTime(record.expiresAt) }
}
