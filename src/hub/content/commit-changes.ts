import { isGitError, type GitErrorCode } from '../../errors.ts'
import {
  commitFiles,
  type CommitAuthor,
  type CommitFilesOutcome,
} from '../../repository/write/commit-files.ts'
import type { FileChange } from '../../repository/write/file-changes.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { remainingBytes } from '../repositories/remaining-bytes.ts'
import { explained } from './open-content.ts'

/** A commit that is made without a Git client. */
export interface CommitChanges {
  /** Default: the repository's default branch. It is made when it does not exist. */
  readonly branch?: string | undefined
  readonly changes: readonly FileChange[]
  readonly message: string
  readonly author: CommitAuthor
  /** Default: the author. */
  readonly committer?: CommitAuthor | undefined
  /** The commit that the branch must be at, `null` for a branch that must not exist; absent: whatever it is. */
  readonly expectedHead?: string | null | undefined
  /** The commit to begin with where the branch does not exist yet. */
  readonly startPoint?: string | undefined
  /** Commit also when nothing changes. */
  readonly allowEmpty?: boolean | undefined
}

/** Which field of a request a mistake is in, by the code of the engine's error. */
const MISTAKES: Partial<Record<GitErrorCode, string>> = {
  INVALID_ARGUMENT: '/changes',
  INVALID_ID: '/changes',
  INVALID_REF_NAME: '/branch',
  FSCK: '/changes',
}

/**
 * Commits changes of files to a branch, by compare-and-swap.
 *
 * @throws ArtifactsError `INVALID_INPUT` for changes that no repository may have and for one that may not be written to, `MEMORY_LIMIT`
 * for a file that is too large, `NOT_FOUND`
 */
export async function commitChanges(
  hub: HubContext,
  record: RepositoryRecord,
  commit: CommitChanges,
): Promise<CommitFilesOutcome> {
  if (record.readOnly) {
    throw new ArtifactsError('INVALID_INPUT', 'The repository is read-only.', { status: 403 })
  }
  const branch = commit.branch ?? record.defaultBranch
  const at = hub.now()
  const words = hub.events.pushed(record, at)
  const { committer, expectedHead, startPoint, allowEmpty } = commit
  const { objectBytes } = hub.limits
  const end = await hub.delivery.beginPush(record.id)
  try {
    const outcome = await explained(hub, record, () =>
      hub.repositories.use(record.id, async (repository) => {
        const maxPackBytes = await remainingBytes(hub.limits, repository)
        return commitFiles(repository, {
          branch,
          changes: commit.changes,
          message: commit.message,
          author: { time: Math.floor(at / 1000), ...commit.author },
          ...(committer === undefined ? {} : { committer: { time: Math.floor(at / 1000), ...committer } }),
          ...(expectedHead === undefined ? {} : { expectedHead }),
          ...(startPoint === undefined ? {} : { startPoint }),
          ...(allowEmpty === undefined ? {} : { allowEmpty }),
          ...(objectBytes === undefined ? {} : { maxFileBytes: objectBytes }),
          ...(maxPackBytes === undefined ? {} : { maxPackBytes }),
          events: words,
        }).catch((error: unknown) => {
          throw explainMistake(error)
        })
      }),
    )
    if (outcome.kind === 'committed') await hub.registry.recordPush(record.id, at)
    return outcome
  } finally {
    end()
  }
}

function explainMistake(error: unknown): unknown {
  if (!isGitError(error)) return error
  const pointer = MISTAKES[error.code]
  if (pointer !== undefined)
    return new ArtifactsError('INVALID_INPUT', error.message, { pointer, cause: error })
  if (error.code === 'LIMIT_EXCEEDED')
    return new ArtifactsError('MEMORY_LIMIT', error.message, { cause: error })
  if (error.code === 'LOCKED') {
    return new ArtifactsError('UPSTREAM_UNAVAILABLE', 'The branch is too busy. Please retry.', {
      cause: error,
    })
  }
  return error
}
