import { createResponseBody } from '../../http/response-body.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import { commitChanges } from '../content/commit-changes.ts'
import { readDifference, readMergeBases } from '../content/compare.ts'
import { blobType } from '../content/content-type.ts'
import { listRefs } from '../content/list-refs.ts'
import { readHistory } from '../content/read-history.ts'
import { openBlobContent, readBlob, readCommit, readFile, readTree } from '../content/read-objects.ts'
import type { HubContext } from '../hub-context.ts'
import { assertRepositoryName } from '../names.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { assertReady, repositoryNotFound } from '../repositories/find-repository.ts'
import { forkRepository } from '../repositories/fork-repository.ts'
import { createToken, revokeToken } from '../tokens/token-actions.ts'
import type { RepositoryBinding, TokenList } from './binding-types.ts'
import {
  checkBoolean,
  checkHash,
  checkOffset,
  checkOptions,
  checkPositive,
  checkString,
  checkText,
  invalid,
} from './check-arguments.ts'
import { checkCommit } from './check-commit.ts'
import { told } from './told-failures.ts'
import { createdInfo, createdToken, repositoryInfo, tokenInfo } from './word-records.ts'

/** Tokens in one list. */
const LISTED_TOKENS = 30

/** Creates the capability of one repository, pinned to the id of its record. */
export function createRepositoryBinding(hub: HubContext, { id, name }: RepositoryRecord): RepositoryBinding {
  let isDisposed = false

  /** Runs a method on the record as it is now. */
  const onRecord = <T>(run: (record: RepositoryRecord) => Promise<T>): Promise<T> =>
    told(hub, async () => {
      if (isDisposed)
        throw new ArtifactsError('INTERNAL_ERROR', 'The repository was used after it was disposed of.')
      const record = await hub.registry.readRepository(id)
      if (record === undefined) throw repositoryNotFound(name)
      assertReady(record)
      return run(record)
    })

  return {
    info: () => onRecord((record) => Promise.resolve(repositoryInfo(hub, record))),

    createToken: (scope, ttl) =>
      onRecord(async (record) => {
        const wanted: unknown = scope ?? 'write'
        if (wanted !== 'read' && wanted !== 'write') throw invalid('scope', 'must be "read" or "write"')
        return createdToken(
          await createToken(hub, record, { scope: wanted, ...(ttl === undefined ? {} : { ttl }) }),
        )
      }),

    listTokens: () => onRecord((record) => listTokens(hub, record)),

    revokeToken: (tokenOrId) =>
      onRecord((record) => revokeToken(hub, record, typeof tokenOrId === 'string' ? tokenOrId : '')),

    readBlob: (hash) =>
      onRecord(async (record) => {
        const bytes = await readBlob(hub, record, checkHash(hash))
        return bytes === null ? null : new Blob([bytes])
      }),

    readTree: (hash) => onRecord((record) => readTree(hub, record, checkHash(hash))),

    readCommit: (hash) => onRecord((record) => readCommit(hub, record, checkHash(hash))),

    readFile: (file) =>
      onRecord(async (record) => {
        const given = checkOptions(file, 'file')
        const ref = checkText(given['ref'], 'ref')
        const path = checkText(given['path'], 'path')
        const found = await readFile(hub, record, ref, path)
        return found === null ? null : new Blob([found.bytes], { type: blobType(found.type) })
      }),

    log: (options) =>
      onRecord((record) => {
        const given = checkOptions(options, 'options')
        return readHistory(hub, record, {
          ref: checkString(given['ref'], 'ref'),
          limit: checkPositive(given['limit'], 'limit'),
          offset: checkOffset(given['offset'], 'offset'),
        })
      }),

    fork: (target, options) =>
      onRecord(async (record) => {
        assertRepositoryName(typeof target === 'string' ? target : '')
        const given = checkOptions(options, 'options')
        const description = checkString(given['description'], 'description')
        const readOnly = checkBoolean(given['readOnly'], 'readOnly')
        const created = await forkRepository(hub, record, {
          name: target,
          ...(description === undefined ? {} : { description }),
          ...(readOnly === undefined ? {} : { readOnly }),
          defaultBranchOnly: checkBoolean(given['defaultBranchOnly'], 'defaultBranchOnly') ?? true,
        })
        return createdInfo(hub, created)
      }),

    [Symbol.dispose]: () => {
      isDisposed = true
    },

    openBlob: (hash) =>
      onRecord(async (record) => {
        const opened = await openBlobContent(hub, record, checkHash(hash))
        if (opened === null) return null
        const { blob, content } = opened
        return createResponseBody(blob.read(), {
          onCancel: () => undefined,
          onError: hub.onError,
          onEnd: () => {
            hub.background(content.close())
          },
        })
      }),

    listRefs: (query) =>
      onRecord((record) => {
        const given = checkOptions(query, 'query')
        return listRefs(hub, record, {
          prefix: checkString(given['prefix'], 'prefix'),
          limit: checkPositive(given['limit'], 'limit'),
          cursor: checkString(given['cursor'], 'cursor'),
        })
      }),

    diff: (query) =>
      onRecord((record) => {
        const given = checkOptions(query, 'query')
        return readDifference(hub, record, {
          from: checkString(given['from'], 'from'),
          to: checkString(given['to'], 'to'),
          limit: checkPositive(given['limit'], 'limit'),
        })
      }),

    mergeBases: (left, right) =>
      onRecord((record) => readMergeBases(hub, record, checkText(left, 'left'), checkText(right, 'right'))),

    commit: (changes) => onRecord((record) => commitChanges(hub, record, checkCommit(changes))),
  }
}

async function listTokens(hub: HubContext, { id }: RepositoryRecord): Promise<TokenList> {
  const now = hub.now()
  const query = { repository: id, now, limit: LISTED_TOKENS, offset: 0 }
  const active = await hub.registry.listTokens({ ...query, state: 'active' })
  const all = await hub.registry.listTokens({ ...query, limit: LISTED_TOKENS + active.total })
  const listed = new Set(active.tokens.map((token) => token.id))
  const isOver = ({ id: token }: { readonly id: string }): boolean => !listed.has(token)
  const over = active.total > LISTED_TOKENS ? [] : all.tokens.filter(isOver)
  const tokens = [...active.tokens, ...over].slice(0, LISTED_TOKENS)
  return { tokens: tokens.map((token) => tokenInfo(token, now)), total: all.total }
}
