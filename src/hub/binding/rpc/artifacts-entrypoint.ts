/**
 * `packstone/hub/entrypoint`: the binding as an entry point of a Worker, for other Workers to bind to. It is the one part of the hub that
 * needs the Workers runtime.
 */
import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers'
import type { NamespaceBinding, RepositoryBinding } from '../binding-types.ts'
import type {
  ArtifactsStub,
  NamespaceMethod,
  OpenedRepository,
  RepositoryMethod,
  RepositoryStub,
} from './connect-artifacts.ts'
import { captureFailure, captureOutcome, type RpcFailure, type RpcOutcome } from './rpc-outcome.ts'

type Given<Method extends (...given: never[]) => unknown> = Parameters<Method>

/**
 * One repository across RPC. Its own methods are those of {@link RepositoryBinding}, for runtimes that pass on blobs and the fields of
 * errors; `call` is for {@link connectArtifacts}, which needs neither.
 */
export class RepositoryTarget extends RpcTarget implements RepositoryStub {
  readonly #binding: RepositoryBinding

  constructor(binding: RepositoryBinding) {
    super()
    this.#binding = binding
  }

  call(method: RepositoryMethod, given: readonly unknown[]): Promise<RpcOutcome> {
    return captureOutcome(() => callMethod(this.#binding, REPOSITORY_METHODS, method, given))
  }

  info(): ReturnType<RepositoryBinding['info']> {
    return this.#binding.info()
  }

  createToken(
    ...given: Given<RepositoryBinding['createToken']>
  ): ReturnType<RepositoryBinding['createToken']> {
    return this.#binding.createToken(...given)
  }

  listTokens(): ReturnType<RepositoryBinding['listTokens']> {
    return this.#binding.listTokens()
  }

  revokeToken(tokenOrId: string): Promise<boolean> {
    return this.#binding.revokeToken(tokenOrId)
  }

  readBlob(hash: string): Promise<Blob | null> {
    return this.#binding.readBlob(hash)
  }

  readTree(hash: string): ReturnType<RepositoryBinding['readTree']> {
    return this.#binding.readTree(hash)
  }

  readCommit(hash: string): ReturnType<RepositoryBinding['readCommit']> {
    return this.#binding.readCommit(hash)
  }

  readFile(...given: Given<RepositoryBinding['readFile']>): Promise<Blob | null> {
    return this.#binding.readFile(...given)
  }

  log(...given: Given<RepositoryBinding['log']>): ReturnType<RepositoryBinding['log']> {
    return this.#binding.log(...given)
  }

  fork(...given: Given<RepositoryBinding['fork']>): ReturnType<RepositoryBinding['fork']> {
    return this.#binding.fork(...given)
  }

  openBlob(hash: string): ReturnType<RepositoryBinding['openBlob']> {
    return this.#binding.openBlob(hash)
  }

  listRefs(...given: Given<RepositoryBinding['listRefs']>): ReturnType<RepositoryBinding['listRefs']> {
    return this.#binding.listRefs(...given)
  }

  diff(...given: Given<RepositoryBinding['diff']>): ReturnType<RepositoryBinding['diff']> {
    return this.#binding.diff(...given)
  }

  mergeBases(left: string, right: string): Promise<string[]> {
    return this.#binding.mergeBases(left, right)
  }

  commit(...given: Given<RepositoryBinding['commit']>): ReturnType<RepositoryBinding['commit']> {
    return this.#binding.commit(...given)
  }

  [Symbol.dispose](): void {
    this.#binding[Symbol.dispose]()
  }
}

/** The methods of one namespace across RPC. */
export interface ArtifactsEntrypoint extends ArtifactsStub, Omit<NamespaceBinding, 'get'> {
  get(name: string): Promise<RepositoryTarget>
}

export interface EntrypointContext {
  waitUntil(work: Promise<unknown>): void
  /** What the binding of the calling Worker is configured with, e.g. its namespace. */
  readonly props?: unknown
}

/**
 * Creates the class that a Worker exports as an entry point.
 *
 * @param open gives the binding that a caller gets, e.g. `(env, ctx) => hubOf(env).artifacts(ctx.props.namespace)`.
 */
export function createArtifactsEntrypoint<Environment>(
  open: (env: Environment, ctx: EntrypointContext) => NamespaceBinding,
): new (ctx: EntrypointContext, env: Environment) => ArtifactsEntrypoint {
  return class extends WorkerEntrypoint<Environment> implements ArtifactsEntrypoint {
    call(method: NamespaceMethod, given: readonly unknown[]): Promise<RpcOutcome> {
      return captureOutcome(() => callMethod(this.#open(), NAMESPACE_METHODS, method, given))
    }

    async open(name: string): Promise<OpenedRepository | RpcFailure> {
      try {
        return { kind: 'repository', repository: await this.get(name) }
      } catch (error) {
        return captureFailure(error)
      }
    }

    create(...given: Given<NamespaceBinding['create']>): ReturnType<NamespaceBinding['create']> {
      return this.#open().create(...given)
    }

    async get(name: string): Promise<RepositoryTarget> {
      return new RepositoryTarget(await this.#open().get(name))
    }

    import(...given: Given<NamespaceBinding['import']>): ReturnType<NamespaceBinding['import']> {
      return this.#open().import(...given)
    }

    list(...given: Given<NamespaceBinding['list']>): ReturnType<NamespaceBinding['list']> {
      return this.#open().list(...given)
    }

    delete(name: string): Promise<boolean> {
      return this.#open().delete(name)
    }

    #open(): NamespaceBinding {
      return open(this.env, this.ctx)
    }
  }
}

/** What may be called by name: a caller across RPC may send any text. */
const NAMESPACE_METHODS: ReadonlySet<string> = new Set<NamespaceMethod>([
  'create',
  'import',
  'list',
  'delete',
])

const REPOSITORY_METHODS: ReadonlySet<string> = new Set<RepositoryMethod>([
  'info',
  'createToken',
  'listTokens',
  'revokeToken',
  'readBlob',
  'readTree',
  'readCommit',
  'readFile',
  'log',
  'fork',
  'openBlob',
  'listRefs',
  'diff',
  'mergeBases',
  'commit',
])

function callMethod<Binding extends object>(
  binding: Binding,
  methods: ReadonlySet<string>,
  method: keyof Binding & string,
  given: readonly unknown[],
): Promise<unknown> {
  const target: unknown = methods.has(method) ? binding[method] : undefined
  if (typeof target !== 'function') return Promise.reject(new TypeError(`there is no method '${method}'`))
  return Promise.resolve(Reflect.apply(target, binding, given))
}
