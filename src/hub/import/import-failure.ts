import { isGitError, type GitError } from '../../errors.ts'
import { ArtifactsError, isArtifactsError } from '../artifacts-error.ts'
import { shownUrl, type ImportSource } from './import-source.ts'
import { PRIVATE_ADDRESS } from './public-address.ts'

/** What a client is told of a failed import. What is not the remote's fault is given back as it is. */
export function importFailure(error: unknown, source: ImportSource): unknown {
  if (isArtifactsError(error) || !isGitError(error)) return error
  switch (error.code) {
    case 'FORBIDDEN':
      return error.details['reason'] === PRIVATE_ADDRESS
        ? notAGitRemote(error)
        : authenticationRequired(error, source)
    case 'NOT_FOUND': {
      const isRef = typeof error.details['ref'] === 'string'
      return new ArtifactsError('NOT_FOUND', `Remote ${isRef ? 'branch' : 'repository'} not found.`, {
        pointer: isRef ? '/branch' : '/url',
        cause: error,
      })
    }
    case 'LIMIT_EXCEEDED':
      return new ArtifactsError('MEMORY_LIMIT', 'The repository is too large to import.', { cause: error })
    case 'FSCK':
      return new ArtifactsError(
        'INVALID_INPUT',
        `The repository has an object that is refused: ${error.message}`,
        {
          pointer: '/url',
          cause: error,
        },
      )
    case 'UNSUPPORTED':
      return new ArtifactsError('INVALID_INPUT', 'Only repositories with SHA-1 object ids can be imported.', {
        pointer: '/url',
        cause: error,
      })
    case 'PROTOCOL':
      // What speaks the protocol and breaks it, or breaks off, is a repository that fails; anything else is none.
      return error.details['url'] === undefined ? unavailable(error) : notAGitRemote(error)
    case 'UNAVAILABLE':
    case 'ABORTED':
    case 'CORRUPT_PACK':
    case 'CORRUPT_DELTA':
    case 'CORRUPT_ZLIB':
    case 'CORRUPT_OBJECT':
    case 'MISSING_BASE':
    case 'MISSING_OBJECT':
      return unavailable(error)
    default:
      return error
  }
}

export function unavailable(cause: unknown): ArtifactsError {
  return new ArtifactsError('UPSTREAM_UNAVAILABLE', 'The upstream service is unavailable. Please retry.', {
    cause,
  })
}

function notAGitRemote(cause: GitError): ArtifactsError {
  return new ArtifactsError('INVALID_URL', 'The URL does not point to a git repository.', {
    restMessage: 'url must be an HTTPS git remote URL (e.g. https://github.com/owner/repo)',
    pointer: '/url',
    cause,
  })
}

function authenticationRequired(error: GitError, source: ImportSource): ArtifactsError {
  const status = error.details['status'] ?? 401
  return new ArtifactsError(
    'REMOTE_AUTH_REQUIRED',
    'Authentication is required to access the remote repository.',
    {
      restMessage: `Repository "${shownUrl(source)}" requires authentication (HTTP ${status}). Only public repositories can be imported.`,
      cause: error,
    },
  )
}
