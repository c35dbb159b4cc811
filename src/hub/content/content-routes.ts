import * as z from 'zod/mini'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { findRepository } from '../repositories/find-repository.ts'
import { defineRoute, type Route } from '../rest/route.ts'
import { repositoryPath } from '../rest/schemas.ts'
import { blobResponse, bytesResponse, immutableResult, notModified } from './content-response.ts'
import { COMMIT_SCHEMA, HASH_SCHEMA, TREE_ENTRY_SCHEMA } from './content-schemas.ts'
import { contentTypeHeader, sniffContentType } from './content-type.ts'
import { explained, openContent, readContent, type OpenContent } from './open-content.ts'
import { MAX_LOG_LIMIT, DEFAULT_LOG_LIMIT, readHistory } from './read-history.ts'
import {
  openBlobContent,
  openNamedFile,
  readBlobWhole,
  readCommit,
  readLimit,
  readTree,
  type BlobContent,
} from './read-objects.ts'
import { resultResponse } from '../rest/envelope.ts'
import type { OpenFile } from '../../repository/read/open-file.ts'

const REPOSITORY = '/namespaces/:namespace/repos/:name'
/** Segments of a raw route in front of the ref: `namespaces`, its name, `repos`, its name, `raw`. */
const RAW_PREFIX = 5

const HASH_PATH = z.extend(repositoryPath, { hash: HASH_SCHEMA })

const log = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/log`,
  operationId: 'artifacts_log_get',
  summary: 'Lists commits along first parents, newest first',
  permission: 'read',
  path: repositoryPath,
  query: z.object({
    ref: z._default(z.string(), 'HEAD'),
    limit: z
      ._default(z.coerce.number().check(z.int(), z.positive()), DEFAULT_LOG_LIMIT)
      .check(z.describe(`Capped at ${MAX_LOG_LIMIT}.`)),
    offset: z._default(z.coerce.number().check(z.int(), z.nonnegative()), 0),
  }),
  success: { status: 200, result: z.array(COMMIT_SCHEMA) },
  failures: [400, 404],
  handle: async ({ hub, path, query }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    return resultResponse(await readHistory(hub, record, query))
  },
})

const commit = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/commit/:hash`,
  operationId: 'artifacts_commit_get',
  summary: 'Reads a commit',
  permission: 'read',
  path: HASH_PATH,
  success: { status: 200, result: COMMIT_SCHEMA },
  failures: [400, 404, 500],
  handle: async ({ hub, request, path }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    return immutableResult(request, found(await readCommit(hub, record, path.hash), 'Commit'), path.hash)
  },
})

const tree = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/tree/:hash`,
  operationId: 'artifacts_tree_get',
  summary: 'Lists one level of a tree',
  permission: 'read',
  path: HASH_PATH,
  success: { status: 200, result: z.array(TREE_ENTRY_SCHEMA) },
  failures: [400, 404, 500],
  handle: async ({ hub, request, path }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    return immutableResult(request, found(await readTree(hub, record, path.hash), 'Tree'), path.hash)
  },
})

const blob = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/blob/:hash`,
  operationId: 'artifacts_blob_get',
  summary: 'Reads a blob',
  permission: 'read',
  path: HASH_PATH,
  success: { status: 200, content: 'application/octet-stream' },
  failures: [400, 404, 413],
  handle: async ({ hub, request, path }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const opened = found(await openBlobContent(hub, record, path.hash), 'Blob')
    return blobResponse(hub, request, opened, { hash: path.hash, isImmutable: true }, readLimit(hub))
  },
})

const file = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/file`,
  operationId: 'artifacts_file_get',
  summary: 'Reads a file of a revision as bytes',
  permission: 'read',
  path: repositoryPath,
  query: z.object({ ref: z._default(z.string(), 'HEAD'), path: z.string() }),
  success: { status: 200, content: 'application/octet-stream' },
  failures: [400, 404, 413],
  handle: async ({ hub, request, path, query }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const opened = found(await openFileContent(hub, record, query.ref, query.path), 'File')
    const caching = { hash: opened.blob.id, isImmutable: isHash(query.ref) }
    return blobResponse(hub, request, opened, caching, readLimit(hub))
  },
})

const raw = defineRoute({
  method: 'get',
  pattern: `${REPOSITORY}/raw/*`,
  operationId: 'artifacts_raw_get',
  summary: 'Reads a file of a revision, `raw/<ref>/<path>`, with a type that browsers show and never run',
  permission: 'read',
  path: repositoryPath,
  success: { status: 200, content: 'text/plain' },
  failures: [404, 413],
  handle: async ({ hub, request, path, segments }) => {
    const record = await findRepository(hub, path.namespace, path.name)
    const [ref, ...names] = segments.slice(RAW_PREFIX).map(decodeSegment)
    if (ref === undefined || names.includes(undefined)) throw notFound('File')
    const filePath = names.join('/')
    const read = async (content: OpenContent): Promise<Response> => {
      const file = await openNamedFile(content, ref, filePath)
      const { id } = found(file ?? null, 'File')
      const caching = { hash: id, isImmutable: isHash(ref) }
      const unchanged = notModified(request, caching)
      if (unchanged !== undefined) return unchanged
      const bytes = found(await readBlobWhole(hub, content, id), 'File')
      return bytesResponse(bytes, contentTypeHeader(sniffContentType(filePath, bytes)), caching)
    }
    return readContent(hub, record, read, { revisions: [ref] })
  },
})

/** The documented routes that read what repositories hold. */
export const contentRoutes: readonly Route[] = [log, commit, tree, blob, file, raw]

/** Opens a file for streaming. */
async function openFileContent(
  hub: HubContext,
  record: RepositoryRecord,
  ref: string,
  path: string,
): Promise<(BlobContent & { readonly blob: OpenFile }) | null> {
  const content = await openContent(hub, record, { revisions: [ref] })
  try {
    const blob = await explained(hub, record, () => openNamedFile(content, ref, path))
    if (blob !== undefined) return { blob, content }
  } catch (error) {
    await content.close()
    throw error
  }
  await content.close()
  return null
}

function found<T>(value: T | null, what: 'Commit' | 'Tree' | 'Blob' | 'File'): T {
  if (value === null) throw notFound(what)
  return value
}

function notFound(what: string): ArtifactsError {
  return new ArtifactsError('NOT_FOUND', `${what} not found`)
}

function isHash(ref: string): boolean {
  return /^[0-9a-f]{40}$/.test(ref)
}

/** A segment of a path, decoded; `undefined` where it is badly escaped. */
function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
