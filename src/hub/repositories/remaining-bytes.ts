import type { Repository } from '../../repository/repository.ts'
import type { HubLimits } from '../hub-limits.ts'

/** How many bytes of packs a repository may still take, at least 1; `undefined` where that is not limited. */
export async function remainingBytes(
  { repositoryBytes }: HubLimits,
  { storage }: Repository,
): Promise<number | undefined> {
  if (repositoryBytes === undefined) return undefined
  const packs = await storage.listPacks()
  const stored = packs.reduce((sum, { packSize }) => sum + packSize, 0)
  return Math.max(1, repositoryBytes - stored)
}
