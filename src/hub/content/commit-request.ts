import type { FileChange } from '../../repository/write/file-changes.ts'
import type { CommitAuthor } from '../../repository/write/commit-files.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { CommitChanges } from './commit-changes.ts'
import type { ChangeRequest, CommitRequest } from './content-schemas.ts'

/**
 * Reads the body of a request to commit.
 *
 * @throws ArtifactsError `INVALID_INPUT`
 */
export function parseCommitRequest(body: CommitRequest): CommitChanges {
  return {
    branch: body.branch,
    message: body.message,
    author: parseAuthor(body.author),
    committer: body.committer && parseAuthor(body.committer),
    changes: body.changes.map(parseChange),
    expectedHead: body.expected_head,
    startPoint: body.start_point,
    allowEmpty: body.allow_empty,
  }
}

function parseAuthor({ name, email, timestamp, timezone }: CommitRequest['author']): CommitAuthor {
  return {
    name,
    email,
    ...(timestamp === undefined ? {} : { time: timestamp }),
    ...(timezone === undefined ? {} : { timezone }),
  }
}

function parseChange(change: ChangeRequest, at: number): FileChange {
  const { path, content, blob, mode } = change
  const given = [content, blob, change.delete].filter((one) => one !== undefined).length
  if (given > 1) throw badChange(at, `give only one of content, blob and delete for '${path}'`)
  const optionalMode = mode === undefined ? {} : { mode }
  if (change.delete === true) return { path, delete: true }
  if (blob !== undefined) return { path, blob, ...optionalMode }
  if (content !== undefined) {
    const isBase64 = change.encoding === 'base64'
    return { path, content: isBase64 ? decodeBase64(content, at) : content, ...optionalMode }
  }
  if (mode === undefined) throw badChange(at, `give content, blob, mode or delete for '${path}'`)
  return { path, mode }
}

function decodeBase64(text: string, at: number): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch (cause) {
    throw badChange(at, 'its content is not base64', cause)
  }
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0))
}

function badChange(at: number, problem: string, cause?: unknown): ArtifactsError {
  return new ArtifactsError('INVALID_INPUT', `Invalid change: ${problem}`, {
    pointer: `/changes/${at}`,
    cause,
  })
}
