import { GitError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { ProtocolOptions } from './service-options.ts'

/** Reads the repository's config and maps what it says about serving to options. */
export function readProtocolOptions(repository: Repository): Promise<ProtocolOptions> {
  throw new GitError('UNSUPPORTED', repository.storage.location)
}
