import { parseObjectId } from '../../object/object-id.ts'
import { BLOB, COMMIT, TREE } from '../../object/object-type.ts'
import { parseCommitFacts } from '../../repository/read/commit-facts.ts'
import { openFile, type OpenFile } from '../../repository/read/open-file.ts'
import { openBlob, type OpenBlob } from '../../repository/read/read-blob.ts'
import { readTyped } from '../../repository/read/read-typed.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { sniffContentType, type ContentType } from './content-type.ts'
import { commitMetadata, type CommitMetadata } from './commit-metadata.ts'
import { corruptObject, openContent, readContent, type OpenContent } from './open-content.ts'
import { parseTreeListing, type TreeListingEntry } from './tree-listing.ts'

/** What is read whole where the limits do not say. */
const DEFAULT_READ_BYTES = 32 << 20

/** The largest blob that is read whole. */
export function readLimit({ limits }: HubContext): number {
  return limits.readBytes ?? DEFAULT_READ_BYTES
}

/** Of a blob that is too large to be read whole. */
export function tooLarge(): ArtifactsError {
  return new ArtifactsError('MEMORY_LIMIT', 'The object is too large to read through the binding.', {
    restMessage: 'The object is too large to read.',
  })
}

/**
 * Reads a commit; `null` when it is absent.
 *
 * @param hash 40 lowercase hexadecimal digits, as in the other functions here.
 * @throws ArtifactsError `INTERNAL_ERROR` for an object of another type.
 */
export function readCommit(
  hub: HubContext,
  record: RepositoryRecord,
  hash: string,
): Promise<CommitMetadata | null> {
  return readContent(hub, record, async ({ view }) => {
    const read = await readTyped(view, parseObjectId(hash, view.format), COMMIT)
    if (read.kind === 'absent') return null
    if (read.kind !== 'found') throw corruptObject()
    return commitMetadata(parseCommitFacts(hash, read.body, view.format))
  })
}

/**
 * Lists one level of a tree; `null` when it is absent.
 *
 * @throws ArtifactsError `INTERNAL_ERROR` for an object of another type.
 */
export function readTree(
  hub: HubContext,
  record: RepositoryRecord,
  hash: string,
): Promise<TreeListingEntry[] | null> {
  return readContent(hub, record, async ({ view }) => {
    const read = await readTyped(view, parseObjectId(hash, view.format), TREE)
    if (read.kind === 'absent') return null
    if (read.kind !== 'found') throw corruptObject()
    return parseTreeListing(read.body, view.format)
  })
}

/**
 * Reads a blob whole; `null` when it is absent, or another kind of object. The bytes belong to the caller.
 *
 * @throws ArtifactsError `MEMORY_LIMIT`
 */
export function readBlob(
  hub: HubContext,
  record: RepositoryRecord,
  hash: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  return readContent(hub, record, (content) => readBlobWhole(hub, content, hash))
}

export async function readBlobWhole(
  hub: HubContext,
  { view }: OpenContent,
  hash: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const read = await readTyped(view, parseObjectId(hash, view.format), BLOB, { maxBytes: readLimit(hub) })
  if (read.kind === 'too-large') throw tooLarge()
  return read.kind === 'found' ? new Uint8Array(read.body) : null
}

/**
 * Reads a file of a revision whole, with the type that its name and its bytes suggest; `null` where there is none.
 *
 * @throws ArtifactsError `MEMORY_LIMIT`
 */
export function readFile(
  hub: HubContext,
  record: RepositoryRecord,
  ref: string,
  path: string,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly type: ContentType } | null> {
  const read = async (content: OpenContent): Promise<Awaited<ReturnType<typeof readFile>>> => {
    const file = await openNamedFile(content, ref, path)
    const bytes = file === undefined ? null : await readBlobWhole(hub, content, file.id)
    return bytes === null ? null : { bytes, type: sniffContentType(path, bytes) }
  }
  return readContent(hub, record, read, { revisions: [ref] })
}

/** Opens a file of a revision that the content was opened for; `undefined` where there is none. */
export async function openNamedFile(
  { repository, view, named }: OpenContent,
  ref: string,
  path: string,
): Promise<OpenFile | undefined> {
  const id = named.get(ref)
  return id === undefined ? undefined : openFile(repository.storage, view, id, path)
}

/** A blob that is open; to be closed when it has been read. */
export interface BlobContent {
  readonly blob: OpenBlob
  readonly content: OpenContent
}

/** Opens a blob for streaming; `null` when it is absent, or another kind of object. */
export async function openBlobContent(
  hub: HubContext,
  record: RepositoryRecord,
  hash: string,
): Promise<BlobContent | null> {
  const content = await openContent(hub, record)
  try {
    const blob = await openBlob(content.view, parseObjectId(hash, content.view.format))
    if (blob.kind === 'found') return { blob, content }
  } catch (error) {
    await content.close()
    throw error
  }
  await content.close()
  return null
}
