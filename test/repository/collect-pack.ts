import type { PackPlan, PackRequest } from '../../src/repository/outgoing-pack.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { git, gitLines } from '../support/git.ts'

const NOTHING: PackRequest = {
  wants: [],
  haves: [],
  clientShallow: [],
  shallow: [],
  unshallow: [],
  thin: false,
  ofsDelta: true,
  includeTags: [],
}

/** Plans and writes the pack that answers a request. */
export async function collectPack(
  repository: Repository,
  request: Partial<PackRequest>,
): Promise<{ plan: PackPlan; pack: Buffer }> {
  const view = await repository.openView()
  try {
    const plan = await repository.planPack(view, { ...NOTHING, ...request })
    const chunks: Uint8Array[] = []
    for await (const chunk of plan.write()) chunks.push(chunk)
    return { plan, pack: Buffer.concat(chunks) }
  } finally {
    await view.close()
  }
}

/** An entry of a pack as `git verify-pack -v` lists it. */
export interface ListedEntry {
  readonly id: string
  readonly type: string
  readonly depth: number
  readonly base: string | undefined
}

/** Gives a pack to `git index-pack` in a repository; resolves with its entries. Git must accept it. */
export async function acceptedByGit(
  repository: string,
  pack: Uint8Array,
  args: readonly string[] = ['--strict'],
): Promise<ListedEntry[]> {
  const line = await git(['index-pack', '--stdin', ...args], { cwd: repository, input: pack })
  const name = line.split(/\s/)[1] ?? ''
  const lines = await gitLines(['verify-pack', '-v', `${repository}/objects/pack/pack-${name}.idx`])
  return lines
    .filter((entry) => /^[0-9a-f]{40} /.test(entry))
    .map((entry) => {
      const [id = '', type = '', , , , depth, base] = entry.split(/\s+/)
      return { id, type, depth: Number(depth ?? 0), base }
    })
}

/** Ids of entries, sorted. */
export function idsOf(entries: readonly ListedEntry[]): string[] {
  return entries.map(({ id }) => id).sort()
}
