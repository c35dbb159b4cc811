import type { RefEdit, RefOutcome } from '../../refs/ref-edit.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import type { EventWriter } from './event-writer.ts'
import { encodeStoredEvent, type HubEventName } from './hub-event.ts'

/** The id that stands for no object. */
const ZERO_ID = '0'.repeat(40)

/** Creates what words events for a hub with listeners. */
export function createEventWriter(): EventWriter {
  return {
    created: (repository) => [word('created', repository, repository.createdAt, facts(repository))],
    deleted: (repository, at) => [word('deleted', repository, at, facts(repository))],
    forked: (source, fork) => [
      word('forked', source, fork.createdAt, {
        ...facts(source),
        namespace: fork.namespace,
        repoName: fork.name,
        repoId: fork.id,
      }),
    ],
    imported: (repository, { url, branch }) => [
      word('imported', repository, repository.updatedAt, {
        ...facts(repository),
        sourceUrl: url,
        branch: branch ?? repository.defaultBranch,
      }),
    ],
    pushed: (repository, at) => (edits, outcomes) => wordPushes(repository, at, edits, outcomes),
    cloned: (repository, at) => [word('cloned', repository, at, {})],
    fetched: (repository, at) => [word('fetched', repository, at, {})],
    tokenCreated: (repository, { id, scope, createdAt, expiresAt }) => [
      word('token.created', repository, createdAt, { tokenId: id, scope, expiresAt: moment(expiresAt) }),
    ],
    tokenRevoked: (repository, { id }, at) => [word('token.revoked', repository, at, { tokenId: id })],
  }
}

function word(
  name: HubEventName,
  { namespace, name: repoName }: RepositoryRecord,
  at: number,
  payload: Readonly<Record<string, unknown>>,
): string {
  return encodeStoredEvent({ name, namespace, repoName, at, payload })
}

function wordPushes(
  { namespace, name: repoName }: RepositoryRecord,
  at: number,
  edits: readonly RefEdit[],
  outcomes: readonly RefOutcome[],
): string[] {
  const texts: string[] = []
  for (const [index, outcome] of outcomes.entries()) {
    const target = edits[index]?.target
    // HEAD and other symbolic refs are not pushed.
    if (outcome.kind !== 'applied' || target === undefined || target?.kind === 'symbolic') continue
    const before = outcome.before?.kind === 'direct' ? outcome.before.id : ZERO_ID
    const push = { ref: outcome.name, before, after: target?.id ?? ZERO_ID }
    texts.push(encodeStoredEvent({ name: 'pushed', namespace, repoName, at, payload: {}, push }))
  }
  return texts
}

function facts(repository: RepositoryRecord): Readonly<Record<string, unknown>> {
  const { id, defaultBranch, description, readOnly, createdAt, updatedAt, lastPushAt } = repository
  return {
    repoId: id,
    defaultBranch,
    description,
    readOnly,
    createdAt: moment(createdAt),
    updatedAt: moment(updatedAt),
    lastPushAt: lastPushAt === null ? null : moment(lastPushAt),
  }
}

function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
