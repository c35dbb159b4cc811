import { mkdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { GitError, isGitError } from '../../errors.ts'
import { hostMemoryBytes, serve, type RunningServer } from '../../hosts/node/index.ts'
import { createGitHandler } from '../../http/index.ts'
import { createNodeCodecs } from '../../codec/node/index.ts'
import { createMemoryBudget } from '../../odb/memory-budget.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import { misuse } from '../failure.ts'
import { createRepositoryAt, openRepositoryAt } from '../open-repository.ts'
import { writeOut } from '../output.ts'
import { ensureFirstCommit } from '../serve/demo-repository.ts'
import { findBareDirectory } from '../serve/bare-directory.ts'
import { RepositoryCache } from '../serve/repository-cache.ts'
import { formatRequest } from '../serve/request-log.ts'
import { resolveBare } from '../serve/resolve-bare.ts'

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

/** Repositories that stay open between requests. */
const OPEN_REPOSITORIES = 64
/** How long running requests may take after the signal to stop, in milliseconds. */
const GRACE_MS = 10_000

/** `packstone serve`: serves until SIGINT or SIGTERM. */
export async function serveCommand(options: ServeCommandOptions): Promise<void> {
  const demo = options.bare === undefined
  if (demo && !options.allowPush && !isLoopback(options.host)) {
    throw misuse(
      `everybody who reaches ${options.host} could push to the demo repository; add --allow-push if that is meant, ` +
        'or serve your own repositories with --bare <dir>',
    )
  }
  const { remoteUserHeader } = options
  const root = options.bare === undefined ? await prepareDemo(options) : await servedFolder(options.bare)

  const shared = {
    codecs: createNodeCodecs(),
    receiveCodecs: createNodeCodecs({ collisionDetection: true }),
    memoryBudget: createMemoryBudget(options.memoryBudget ?? hostMemoryBytes()),
  }
  const cache = new RepositoryCache({
    open: (path) => openRepositoryAt(path, shared),
    capacity: OPEN_REPOSITORIES,
    onError: logError,
  })
  const handler = createGitHandler({
    resolve: resolveBare(root, cache, {
      allowPush: demo || options.allowPush,
      exportOk: options.exportOk && !demo,
      runHooks: options.hooks && !demo,
      ...(remoteUserHeader === undefined ? {} : { remoteUserHeader }),
    }),
    onError: logError,
  })
  const server = await serve({
    handler,
    host: options.host,
    port: options.port,
    onError: logError,
    ...(options.quiet ? {} : { onRequest: (record) => process.stderr.write(formatRequest(record) + '\n') }),
  })
  const stopped = stopOnSignal(server)
  await writeOut(`listening on ${server.url}\n`)
  if (demo) await writeOut(demoText(server.url, root))
  await stopped
  await cache.close()
  // Work for requests that were cut off may still be on its way out; nobody waits for it.
  process.exit()
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

function stopOnSignal(server: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = (): void => {
      // Whoever asks a second time does not want to wait.
      const grace = stopping ? 0 : GRACE_MS
      stopping = true
      server.close(grace).then(resolve, reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

function logError(error: unknown): void {
  // A client that went away is in the request log, and no failure of the server.
  if (isGitError(error, 'ABORTED')) return
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`packstone: ${message}\n`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
