import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'

/** Where Git clients find a repository. */
export function remoteOf(
  { origin }: Pick<HubContext, 'origin'>,
  { namespace, name }: Pick<RepositoryRecord, 'namespace' | 'name'>,
): string {
  return `${origin}/git/${namespace}/${name}.git`
}
