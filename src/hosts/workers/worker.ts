import { createArtifactsEntrypoint } from '../../hub/binding/rpc/artifacts-entrypoint.ts'
import { repositoryKey } from '../../hub/repositories/repository-id.ts'
import type { ExecutionContext, WorkerEnvironment } from './bindings.ts'
import { originOf } from './hub-of.ts'
import { objectOf } from './object-of.ts'
import { createRemoteRegistry } from './remote-registry.ts'
import { parseRepositoryAddress } from './repository-address.ts'
import { createWorkerHub } from './worker-hub.ts'

/** Where clients reach a Worker that was not told: of no use to any of them. */
const NOWHERE = 'https://origin-is-not-configured.invalid'

/**
 * The Worker in front: it answers what is about many repositories, and hands what is about one to the object of that one, body and answer
 * as streams. It keeps nothing.
 */
export const worker = {
  async fetch(request: Request, env: WorkerEnvironment, ctx: ExecutionContext): Promise<Response> {
    const target = await findObject(request, env)
    if (target !== undefined) return target.fetch(request)
    return createWorkerHub(env, ctx, originOf(env, request)).fetch(request)
  },

  /** From a cron trigger: takes up what earlier requests left behind. */
  async scheduled(_event: unknown, env: WorkerEnvironment, ctx: ExecutionContext): Promise<void> {
    await createWorkerHub(env, ctx, env.ORIGIN ?? NOWHERE).resume()
  },
}

/** The `Artifacts` binding for other Workers: the namespace is in the `props` of their service binding, `default` where it is not. */
export const ArtifactsEntrypoint = createArtifactsEntrypoint<WorkerEnvironment>((env, ctx) =>
  createWorkerHub(env, ctx, env.ORIGIN ?? NOWHERE).artifacts(namespaceIn(ctx.props)),
)

function namespaceIn(props: unknown): string {
  const isNamed = typeof props === 'object' && props !== null && 'namespace' in props
  return isNamed && typeof props.namespace === 'string' ? props.namespace : 'default'
}

/** The object that answers a request: there is one when the request is about a repository that is ready. */
async function findObject(
  request: Request,
  env: WorkerEnvironment,
): Promise<{ fetch(request: Request): Promise<Response> } | undefined> {
  const address = parseRepositoryAddress(new URL(request.url).pathname)
  if (address === undefined) return undefined
  const record = await createRemoteRegistry(env).findRepository(address.namespace, address.name)
  return record?.status === 'ready' ? objectOf(env.REPOSITORIES, repositoryKey(record.id)) : undefined
}
