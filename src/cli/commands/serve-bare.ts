import { realpath, stat } from 'node:fs/promises'
import { GitError } from '../../errors.ts'
import { createGitHandler } from '../../http/index.ts'
import { RepositoryCache } from '../../repository/repository-cache.ts'
import { openRepositoryAt } from '../open-repository.ts'
import { resolveBare } from '../serve/resolve-bare.ts'
import { maintainAfterPushes, type MaintainWhen } from '../serve/maintain-after-pushes.ts'
import type { ServingProcess } from '../serve/serving-process.ts'
import { createSharedOptions, logError, OPEN_REPOSITORIES, runServer } from '../serve/run-server.ts'

export interface ServeBareOptions {
  readonly host: string
  readonly port: number
  readonly bare: string
  readonly allowPush: boolean
  readonly exportOk: boolean
  readonly remoteUserHeader?: string
  readonly hooks: boolean
  /** Bytes. */
  readonly memoryBudget?: number
  readonly threads: number
  readonly maintain: MaintainWhen
  readonly quiet: boolean
  readonly serving: ServingProcess
}

/** `packstone serve --bare`: serves the bare repositories below a folder, until SIGINT or SIGTERM. */
export async function serveBareCommand(options: ServeBareOptions): Promise<void> {
  const { host, port, quiet, serving, remoteUserHeader } = options
  const root = await servedFolder(options.bare)
  const shared = await createSharedOptions(serving, options)
  const cache = new RepositoryCache({
    open: (path) => openRepositoryAt(path, shared),
    capacity: OPEN_REPOSITORIES,
    onError: logError,
  })
  const resolve = resolveBare(root, cache, {
    allowPush: options.allowPush,
    exportOk: options.exportOk,
    runHooks: options.hooks,
    ...(remoteUserHeader === undefined ? {} : { remoteUserHeader }),
  })
  const maintained = maintainAfterPushes(resolve, options.maintain, { role: serving.role, onError: logError })
  const handler = createGitHandler({ resolve: maintained.resolve, onError: logError })
  await runServer({ host, port, quiet, serving, start: () => ({ handler }) }, async () => {
    await maintained.close()
    await cache.close()
  })
}

async function servedFolder(path: string): Promise<string> {
  try {
    const root = await realpath(path)
    if ((await stat(root)).isDirectory()) return root
  } catch (cause) {
    throw new GitError('NOT_FOUND', `the folder '${path}' cannot be served: ${(cause as Error).message}`, {
      cause,
    })
  }
  throw new GitError('NOT_FOUND', `'${path}' is not a folder; --bare takes the one that repositories are in`)
}
