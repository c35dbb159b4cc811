import type { Registry } from '../../hub/registry/registry.ts'
import type { WorkerEnvironment } from './bindings.ts'
import { objectOf } from './object-of.ts'
import type { RegistryMethod } from './registry-object.ts'
import { openOutcome } from './object-outcome.ts'

/** The registry as it is seen from other objects and from the Worker: every method asks the one object that has it. */
export function createRemoteRegistry({ REGISTRY }: Pick<WorkerEnvironment, 'REGISTRY'>): Registry {
  const ask =
    <Method extends RegistryMethod>(method: Method) =>
    async (...given: Parameters<Registry[Method]>): Promise<Awaited<ReturnType<Registry[Method]>>> => {
      const outcome = await objectOf(REGISTRY, 'registry').call(method, given)
      // The object has called this very method of a registry.
      return openOutcome(outcome) as Awaited<ReturnType<Registry[Method]>>
    }
  return {
    location: 'durable-object:registry',
    createNamespace: ask('createNamespace'),
    findNamespace: ask('findNamespace'),
    listNamespaces: ask('listNamespaces'),
    deleteNamespace: ask('deleteNamespace'),
    createRepository: ask('createRepository'),
    findRepository: ask('findRepository'),
    readRepository: ask('readRepository'),
    listRepositories: ask('listRepositories'),
    finishRepository: ask('finishRepository'),
    renewLease: ask('renewLease'),
    takeLease: ask('takeLease'),
    listStale: ask('listStale'),
    recordPush: ask('recordPush'),
    deleteRepository: ask('deleteRepository'),
    findTombstone: ask('findTombstone'),
    listCleanups: ask('listCleanups'),
    finishCleanup: ask('finishCleanup'),
    createToken: ask('createToken'),
    findToken: ask('findToken'),
    findTokenByHash: ask('findTokenByHash'),
    listTokens: ask('listTokens'),
    revokeToken: ask('revokeToken'),
    appendEvents: ask('appendEvents'),
    listOutboxes: ask('listOutboxes'),
    readEvents: ask('readEvents'),
    dropEvents: ask('dropEvents'),
    markPending: ask('markPending'),
    clearPending: ask('clearPending'),
    listPending: ask('listPending'),
    close: () => Promise.resolve(),
  }
}
