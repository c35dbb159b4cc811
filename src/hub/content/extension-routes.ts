import * as z from 'zod/mini'
import { ArtifactsError } from '../artifacts-error.ts'
import { findRepository } from '../repositories/find-repository.ts'
import { resultResponse } from '../rest/envelope.ts'
import { defineRoute, type Route } from '../rest/route.ts'
import { count, repositoryPath } from '../rest/schemas.ts'
import { commitChanges } from './commit-changes.ts'
import { parseCommitRequest } from './commit-request.ts'
import { DEFAULT_DIFF_LIMIT, MAX_DIFF_LIMIT, readDifference, readMergeBases } from './compare.ts'
import { blobResponse } from './content-response.ts'
import {
  COMMIT_REQUEST_SCHEMA,
  COMMIT_RESULT_SCHEMA,
  DIFFERENCE_SCHEMA,
  HASH_SCHEMA,
  REF_SCHEMA,
} from './content-schemas.ts'
import { DEFAULT_REFS_LIMIT, listRefs, MAX_REFS_LIMIT } from './list-refs.ts'
import { openBlobContent } from './read-objects.ts'

const REPOSITORY = '/namespaces/:namespace/repos/:name'

/** Bytes of a request to commit, its contents included. */
const MAX_COMMIT_BYTES = 64 << 20

const refs = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/refs`,
  operationId: 'packstone_refs_list',
  summary: 'Lists refs (not in Artifacts)',
  permission: 'read',
  path: repositoryPath,
  query: z.object({
    prefix: z._default(z.string(), ''),
    limit: z._default(count(MAX_REFS_LIMIT), DEFAULT_REFS_LIMIT),
    cursor: z.optional(z.string()),
  }),
  success: { status: 200, result: z.array(REF_SCHEMA), paged: true },
  failures: [400, 404],
  handle: async ({ hub, path, query }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const page = await listRefs(hub, record, query)
    const info = { cursor: page.cursor ?? '', per_page: query.limit, count: page.refs.length }
    return resultResponse(page.refs, { info })
  },
})

const diff = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/diff`,
  operationId: 'packstone_diff_get',
  summary: 'Compares two commits file by file; without `from`, one with its first parent (not in Artifacts)',
  permission: 'read',
  path: repositoryPath,
  query: z.object({
    from: z.optional(z.string()),
    to: z._default(z.string(), 'HEAD'),
    limit: z._default(count(MAX_DIFF_LIMIT), DEFAULT_DIFF_LIMIT),
  }),
  success: { status: 200, result: DIFFERENCE_SCHEMA },
  failures: [400, 404],
  handle: async ({ hub, path, query }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    return resultResponse(await readDifference(hub, record, query))
  },
})

const mergeBase = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/merge-base`,
  operationId: 'packstone_merge_base_get',
  summary: 'Finds the best common ancestors of two commits (not in Artifacts)',
  permission: 'read',
  path: repositoryPath,
  query: z.object({ left: z.string(), right: z.string() }),
  success: { status: 200, result: z.object({ bases: z.array(z.string()) }) },
  failures: [400, 404],
  handle: async ({ hub, path, query }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    return resultResponse({ bases: await readMergeBases(hub, record, query.left, query.right) })
  },
})

const blobStream = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/blob/:hash/stream`,
  operationId: 'packstone_blob_stream',
  summary: 'Streams a blob of any size (not in Artifacts)',
  permission: 'read',
  path: z.extend(repositoryPath, { hash: HASH_SCHEMA }),
  success: { status: 200, content: 'application/octet-stream' },
  failures: [400, 404],
  handle: async ({ hub, request, path }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const opened = await openBlobContent(hub, record, path.hash)
    if (opened === null) throw new ArtifactsError('NOT_FOUND', 'Blob not found')
    return blobResponse(hub, request, opened, { hash: path.hash, isImmutable: true })
  },
})

const commits = defineRoute({
  method: 'post',
  pattern: `${REPOSITORY}/commits`,
  operationId: 'packstone_commits_create',
  summary: 'Commits changes of files to a branch (not in Artifacts)',
  permission: 'edit',
  path: repositoryPath,
  body: COMMIT_REQUEST_SCHEMA,
  maxBodyBytes: MAX_COMMIT_BYTES,
  success: { status: 201, result: COMMIT_RESULT_SCHEMA },
  failures: [400, 403, 404, 409, 413],
  handle: async ({ hub, path, body }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const outcome = await commitChanges(hub, record, parseCommitRequest(body))
    switch (outcome.kind) {
      case 'committed': {
        const { commit, tree, ref, before } = outcome
        return resultResponse({ hash: commit, tree_hash: tree, ref, before }, { status: 201 })
      }
      case 'stale':
        throw conflict(`The branch is at ${outcome.found ?? 'no commit'}`, '/expected_head')
      case 'name-conflict':
        throw conflict(`The branch cannot exist beside ${outcome.conflictsWith}`, '/branch')
      case 'unchanged':
        throw conflict('The changes change nothing', '/changes')
      case 'not-found':
        throw new ArtifactsError('NOT_FOUND', `There is nothing to change at '${outcome.path}'`, {
          pointer: '/changes',
        })
    }
  },
})

/** Routes beyond those of Artifacts. None of them is one of its paths. */
export const extensionRoutes: readonly Route[] = [refs, diff, mergeBase, blobStream, commits]

function conflict(message: string, pointer: string): ArtifactsError {
  return new ArtifactsError('INVALID_INPUT', message, { status: 409, pointer })
}
