/**
 * `packstone/hub/connect`: for Workers that are bound to an entry point of `packstone/hub/entrypoint`. It pulls in nothing of the hub.
 */
import type { NamespaceBinding, RepositoryBinding } from '../binding-types.ts'
import { failureOf, releaseOutcome, type RpcFailure, type RpcOutcome } from './rpc-outcome.ts'

export { ArtifactsError, isArtifactsError, type ArtifactsErrorCode } from '../../artifacts-error.ts'
export type * from '../binding-types.ts'

/** The methods that answer with plain values. */
export type NamespaceMethod = Exclude<keyof NamespaceBinding, 'get'>
export type RepositoryMethod = Exclude<keyof RepositoryBinding, symbol>

/** A repository at the other end. */
export interface RepositoryStub {
  call(method: RepositoryMethod, given: readonly unknown[]): Promise<RpcOutcome>
  [Symbol.dispose]?(): void
}

export interface OpenedRepository {
  readonly kind: 'repository'
  readonly repository: RepositoryStub
}

/** The entry point, as a service binding shows it. */
export interface ArtifactsStub {
  call(method: NamespaceMethod, given: readonly unknown[]): Promise<RpcOutcome>
  open(name: string): Promise<OpenedRepository | RpcFailure>
}

/**
 * Makes of a service binding what Cloudflare's `Artifacts` binding is: blobs arrive as blobs, and failures as `ArtifactsError` with their
 * codes, whatever the runtime passes on by itself.
 */
export function connectArtifacts(stub: ArtifactsStub): NamespaceBinding {
  const call = async <Result>(method: NamespaceMethod, given: readonly unknown[]): Promise<Result> =>
    // The entry point answers with what its own binding's method of this name gave.
    releaseOutcome(await stub.call(method, given)) as Result
  return {
    create: (...given) => call('create', given),
    import: (...given) => call('import', given),
    list: (...given) => call('list', given),
    delete: (...given) => call('delete', given),
    get: async (name) => {
      const opened = await stub.open(name)
      if (opened.kind === 'failure') throw failureOf(opened)
      return connectRepository(opened.repository)
    },
  }
}

function connectRepository(stub: RepositoryStub): RepositoryBinding {
  const call = async <Result>(method: RepositoryMethod, given: readonly unknown[]): Promise<Result> =>
    releaseOutcome(await stub.call(method, given)) as Result
  return {
    info: () => call('info', []),
    createToken: (...given) => call('createToken', given),
    listTokens: () => call('listTokens', []),
    revokeToken: (...given) => call('revokeToken', given),
    readBlob: (...given) => call('readBlob', given),
    readTree: (...given) => call('readTree', given),
    readCommit: (...given) => call('readCommit', given),
    readFile: (...given) => call('readFile', given),
    log: (...given) => call('log', given),
    fork: (...given) => call('fork', given),
    openBlob: (...given) => call('openBlob', given),
    listRefs: (...given) => call('listRefs', given),
    diff: (...given) => call('diff', given),
    mergeBases: (...given) => call('mergeBases', given),
    commit: (...given) => call('commit', given),
    [Symbol.dispose]: () => {
      stub[Symbol.dispose]?.()
    },
  }
}
