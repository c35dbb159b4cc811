import { mkdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { GitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { misuse } from '../failure.ts'
import { createRepositoryAt, openRepositoryAt } from '../open-repository.ts'
import { ensureFirstCommit } from '../serve/demo-repository.ts'
import { findBareDirectory } from '../serve/bare-directory.ts'
import { RepositoryCache } from '../../repository/repository-cache.ts'
import { resolveBare } from '../serve/resolve-bare.ts'
import { createSharedOptions, logError, OPEN_REPOSITORIES, runServer } from '../serve/run-server.ts'

export interface ServeCommandOptions {
  readonly host: string
  readonly port: number
  readonly bare?: string
  readonly data: string
  readonly allowPush: boolean
  readonly exportOk: boolean
  readonly remoteUserHeader?: string
  readonly hooks: boolean
  readonly objectFormat: ObjectFormatName
  /** Bytes. */
  readonly memoryBudget?: number
  readonly quiet: boolean
}

/** `packstone serve`: serves until SIGINT or SIGTERM. */
export async function serveCommand(options: ServeCommandOptions): Promise<void> {
  const demo = options.bare === undefined
  if (demo && !options.allowPush && !isLoopback(options.host)) {
    throw misuse(
      `everybody who reaches ${options.host} could push to the demo repository; add --allow-push if that is meant, ` +
        'or serve your own repositories with --bare <dir>',
    )
  }
  if (demo && options.hooks) throw misuse('--hooks needs --bare: the demo repository has no hook programs')
  const { remoteUserHeader } = options
  const root = options.bare === undefined ? await prepareDemo(options) : await servedFolder(options.bare)

  const shared = createSharedOptions(options.memoryBudget)
  const cache = new RepositoryCache({
    open: (path) => openRepositoryAt(path, shared),
    capacity: OPEN_REPOSITORIES,
    onError: logError,
  })
  const resolve = resolveBare(root, cache, {
    allowPush: demo || options.allowPush,
    exportOk: options.exportOk && !demo,
    runHooks: options.hooks && !demo,
    ...(remoteUserHeader === undefined ? {} : { remoteUserHeader }),
  })
  const { host, port, quiet } = options
  const describe = demo ? { describe: (url: string) => demoText(url, root) } : {}
  await runServer({ host, port, quiet, resolve, ...describe }, () => cache.close())
}

/** Makes sure that the folder has a demo repository with a first commit. */
async function prepareDemo({ data, objectFormat }: ServeCommandOptions): Promise<string> {
  await mkdir(data, { recursive: true })
  const root = await realpath(data)
  const path = join(root, 'demo.git')
  if ((await findBareDirectory(root, 'demo.git')) === undefined) await createRepositoryAt(path, objectFormat)
  const repository = await openRepositoryAt(path)
  try {
    await ensureFirstCommit(repository, Math.floor(Date.now() / 1000))
  } finally {
    await repository.close()
  }
  return root
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

function demoText(url: string, root: string): string {
  const shown = relative(process.cwd(), root) || '.'
  return [
    '',
    'A demo repository is ready. In another terminal:',
    '',
    `  git clone ${url}/demo.git`,
    '',
    'Everybody who reaches this address may clone it and push to it: there are no passwords here.',
    `Its data is in ${shown}. Stop with Ctrl-C.`,
    '',
    '',
  ].join('\n')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
