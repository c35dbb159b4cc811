import type { HubContext } from '../hub-context.ts'
import { importRepository } from '../import/import-repository.ts'
import { assertNamespaceName, assertRepositoryName } from '../names.ts'
import { encodeCursor, parseCursor } from '../registry/cursor.ts'
import { createRepository } from '../repositories/create-repository.ts'
import { deleteRepository } from '../repositories/delete-repository.ts'
import { findRepository } from '../repositories/find-repository.ts'
import type { NamespaceBinding, RepositoryList } from './binding-types.ts'
import { checkBoolean, checkOptions, checkPositive, checkString, invalid } from './check-arguments.ts'
import { createRepositoryBinding } from './repository-binding.ts'
import { told } from './told-failures.ts'
import { createdInfo, listedRepository } from './word-records.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200
/** What a cursor of this list says of itself. */
const LIST = 'binding repos'

/**
 * Creates the binding of one namespace: an object like Cloudflare's `Artifacts`.
 *
 * @throws ArtifactsError `INVALID_INPUT` for what is no name of a namespace.
 */
export function createNamespaceBinding(hub: HubContext, namespace: string): NamespaceBinding {
  assertNamespaceName(namespace)
  return {
    create: (name, options) =>
      told(hub, async () => {
        assertName(name)
        const given = checkOptions(options, 'options')
        const description = checkString(given['description'], 'description')
        const readOnly = checkBoolean(given['readOnly'], 'readOnly')
        const defaultBranch = checkString(given['setDefaultBranch'], 'setDefaultBranch')
        const created = await createRepository(hub, {
          namespace,
          name,
          ...(description === undefined ? {} : { description }),
          ...(readOnly === undefined ? {} : { readOnly }),
          ...(defaultBranch === undefined ? {} : { defaultBranch }),
        })
        return createdInfo(hub, created)
      }),

    get: (name) =>
      told(hub, async () => {
        assertName(name)
        return createRepositoryBinding(hub, await findRepository(hub, namespace, name))
      }),

    import: (parameters) =>
      told(hub, async () => {
        const { source, target } = checkOptions(parameters, 'parameters')
        const from = checkOptions(source, 'source')
        const to = checkOptions(target, 'target')
        const { name } = to
        assertName(name)
        const options = checkOptions(to['opts'], 'target.opts')
        const description = checkString(options['description'], 'description')
        const readOnly = checkBoolean(options['readOnly'], 'readOnly')
        const created = await importRepository(hub, {
          namespace,
          name,
          url: checkString(from['url'], 'source.url') ?? '',
          branch: checkString(from['branch'], 'source.branch'),
          depth: checkPositive(from['depth'], 'source.depth'),
          ...(description === undefined ? {} : { description }),
          ...(readOnly === undefined ? {} : { readOnly }),
        })
        return createdInfo(hub, created)
      }),

    list: (options) => told(hub, () => list(hub, namespace, options)),

    delete: (name) =>
      told(hub, async () => {
        assertName(name)
        const deletion = await deleteRepository(hub, namespace, name)
        return deletion.kind === 'deleted'
      }),
  }
}

async function list(hub: HubContext, namespace: string, options: unknown): Promise<RepositoryList> {
  const given = checkOptions(options, 'options')
  const limit = given['limit'] ?? DEFAULT_LIMIT
  if (!Number.isInteger(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT)
    throw invalid('limit', `must be between 1 and ${MAX_LIMIT}`)
  const cursor = checkString(given['cursor'], 'cursor')
  // A cursor that is none begins anew.
  const after = cursor === undefined ? undefined : parseCursor(LIST, cursor)
  const { rows, next, total } = await hub.registry.listRepositories({
    namespace,
    sort: 'created_at',
    direction: 'desc',
    limit: Number(limit),
    withTotal: true,
    ...(after === undefined ? {} : { after }),
  })
  return {
    repos: rows.map(listedRepository),
    total: total ?? rows.length,
    ...(next === undefined ? {} : { cursor: encodeCursor(LIST, next) }),
  }
}

function assertName(name: unknown): asserts name is string {
  assertRepositoryName(typeof name === 'string' ? name : '')
}
