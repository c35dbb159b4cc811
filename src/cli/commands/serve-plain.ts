import { GitError } from '../../errors.ts'
import { createGitHandler } from '../../http/index.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { openRepository } from '../../repository/repository.ts'
import { misuse } from '../failure.ts'
import { openPlainStorage, type PlainStorageOptions } from '../serve/plain-storage.ts'
import { RepositoryCache } from '../../repository/repository-cache.ts'
import { resolvePlain } from '../serve/resolve-plain.ts'
import { maintainAfterPushes, type MaintainWhen } from '../serve/maintain-after-pushes.ts'
import type { ServingProcess } from '../serve/serving-process.ts'
import { createSharedOptions, logError, OPEN_REPOSITORIES, runServer } from '../serve/run-server.ts'

export interface ServePlainOptions extends PlainStorageOptions {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly createOnPush: boolean
  readonly allowPush: boolean
  readonly objectFormat: ObjectFormatName
  /** Bytes. */
  readonly memoryBudget?: number
  readonly threads: number
  readonly maintain: MaintainWhen
  readonly quiet: boolean
  readonly serving: ServingProcess
}

/** `packstone serve --plain`: serves the repositories of a storage to everybody, until SIGINT or SIGTERM. */
export async function servePlainCommand(options: ServePlainOptions): Promise<void> {
  const { host, port, quiet, serving, createOnPush, allowPush } = options
  if (createOnPush && !allowPush) throw misuse('--create-on-push needs --allow-push')
  const storage = await openPlainStorage(options, options.data)
  const shared = await createSharedOptions(serving, options)
  const cache = new RepositoryCache({
    open: async (key) => {
      const repository = await storage.open(key)
      if (repository !== undefined) return openRepository(repository, shared)
      throw new GitError('NOT_FOUND', `${storage.location} has no repository ${key}`, { details: { key } })
    },
    capacity: OPEN_REPOSITORIES,
    onError: logError,
  })
  const resolve = resolvePlain(storage, cache, {
    allowPush,
    ...(createOnPush
      ? { createOnPush: { objectFormat: options.objectFormat, head: 'refs/heads/main' } }
      : {}),
    shared,
  })
  const maintained = maintainAfterPushes(resolve, options.maintain, { role: serving.role, onError: logError })
  const handler = createGitHandler({ resolve: maintained.resolve, onError: logError })
  await runServer({ host, port, quiet, serving, start: () => ({ handler }) }, async () => {
    await maintained.close()
    await cache.close()
    await storage.close()
  })
}
