/** packstone: the engine. Repositories over a storage, and what they are made of. */
export { GitError, isGitError, type GitErrorCode, type GitErrorDetails } from './errors.ts'
export type { Codecs } from './codec/ports.ts'
export { openRepository, type OpenRepositoryOptions, type Repository } from './repository/repository.ts'
