import type { NamespaceRecord, RepositoryRecord, TokenRecord } from '../records.ts'
import type { NewRepository } from '../registry.ts'

/** The moment at which everything in a case happens unless it says otherwise. */
export const NOW = 1_700_000_000_000

export function sampleNamespace(name: string, change: Partial<NamespaceRecord> = {}): NamespaceRecord {
  return { name, jurisdiction: 'unrestricted', createdAt: NOW, updatedAt: NOW, ...change }
}

/** An id made of a short text. */
export function sampleId(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^0-9a-z]/g, '0')
    .padStart(16, '0')
    .slice(-16)
}

/** A repository that is ready, in the namespace `space`, with its first token. */
export function sampleRepository(
  name: string,
  change: Partial<RepositoryRecord> = {},
  events: readonly string[] = [],
): NewRepository {
  const id = change.id ?? sampleId(name)
  return {
    record: {
      id,
      namespace: 'space',
      name,
      description: null,
      defaultBranch: 'main',
      readOnly: false,
      source: null,
      status: 'ready',
      createdAt: NOW,
      updatedAt: NOW,
      lastPushAt: null,
      leaseUntil: null,
      work: null,
      ...change,
    },
    token: sampleToken(`t${id.slice(1)}`, id),
    events,
  }
}

export function sampleToken(id: string, repository: string, change: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: sampleId(id),
    repository,
    hash: `hash of ${id}`,
    scope: 'write',
    createdAt: NOW,
    expiresAt: NOW + 60_000,
    revokedAt: null,
    ...change,
  }
}
