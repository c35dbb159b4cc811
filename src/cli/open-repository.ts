import { join } from 'node:path'
import { createNodeCodecs } from '../codec/node/index.ts'
import { GitError } from '../errors.ts'
import { hostMemoryBytes } from '../hosts/node/host-memory.ts'
import { createMemoryBudget } from '../odb/memory-budget.ts'
import { openRepository, type OpenRepositoryOptions, type Repository } from '../repository/repository.ts'
import { openBareRepository } from '../storage/fs/index.ts'

/**
 * Opens the repository at a path: a bare one, or one with a work tree.
 *
 * @throws GitError `NOT_FOUND`
 */
export async function openRepositoryAt(
  path: string,
  options: Partial<OpenRepositoryOptions> = {},
): Promise<Repository> {
  const storage = (await openBareRepository(path)) ?? (await openBareRepository(join(path, '.git')))
  if (storage !== undefined) {
    const memoryBudget = options.memoryBudget ?? createMemoryBudget(hostMemoryBytes())
    return openRepository(storage, { codecs: createNodeCodecs(), ...options, memoryBudget })
  }
  throw new GitError('NOT_FOUND', `'${path}' is not a Git repository`)
}
