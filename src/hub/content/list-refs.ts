import { compareRefNames } from '../../refs/ref-name.ts'
import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { readContent } from './open-content.ts'

/** A ref as clients of the hub see it. */
export interface RefListing {
  readonly name: string
  readonly hash: string
  /** What an annotated tag finally names. */
  readonly peeled?: string
  /** Where a symbolic ref leads. */
  readonly target?: string
}

export const DEFAULT_REFS_LIMIT = 100
export const MAX_REFS_LIMIT = 1000

export interface RefsQuery {
  /** Only refs whose full names begin with this, e.g. `refs/heads/`. */
  readonly prefix?: string | undefined
  readonly limit?: number | undefined
  /** The name of the last ref of the page before. */
  readonly cursor?: string | undefined
}

export interface RefsPage {
  readonly refs: RefListing[]
  /** Absent on the last page. */
  readonly cursor?: string
}

/** Lists refs: `HEAD` where it leads to a commit, then all others in byte order of their names. */
export function listRefs(
  hub: HubContext,
  record: RepositoryRecord,
  { prefix = '', limit = DEFAULT_REFS_LIMIT, cursor }: RefsQuery,
): Promise<RefsPage> {
  return readContent(hub, record, async ({ repository, view }) => {
    const all = await repository.listAdvertisedRefs(view, { prefixes: [prefix] })
    const last =
      cursor === undefined ? -1 : all.findLastIndex(({ name }) => compareRefNames(name, cursor) <= 0)
    const page = all.slice(last + 1, last + 1 + Math.min(limit, MAX_REFS_LIMIT))
    const refs = page.map(({ name, id, peeled, symrefTarget }) => ({
      name,
      hash: id,
      ...(peeled === undefined ? {} : { peeled }),
      ...(symrefTarget === undefined ? {} : { target: symrefTarget }),
    }))
    const end = refs.at(-1)?.name
    const isLast = end === undefined || all.at(-1)?.name === end
    return isLast ? { refs } : { refs, cursor: end }
  })
}
