import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { serve, type RunningServer } from '../../src/hosts/node/index.ts'
import { createGitHandler, readProtocolOptions, type ResolveRepository } from '../../src/http/index.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { git } from './git.ts'
import type { Scratch } from './hooks.ts'
import { allowPush } from './repositories.ts'
import { startGitHttpBackend } from './servers/git-http-backend.ts'

/** The servers that our client is tested against: git's own, and ours in this process, both over sockets. */
export const REMOTE_KINDS = ['git', 'packstone'] as const

export type RemoteKind = (typeof REMOTE_KINDS)[number]

/** A server with a folder of bare repositories. */
export interface Remotes {
  path(name: string): string
  url(name: string): string
  /** An empty bare repository that anybody may push to. */
  create(name: string, config?: Readonly<Record<string, string>>): Promise<string>
}

/** Opens a bare repository for the engine until the test has ended. */
export async function openBare(path: string): Promise<Repository> {
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const repository = openRepository(storage, { codecs: createNodeCodecs() })
  onTestFinished(() => repository.close())
  return repository
}

/** Makes an empty bare repository and opens it. */
export async function initBare(path: string, objectFormat = 'sha1'): Promise<Repository> {
  await git(['init', '--quiet', '--bare', `--object-format=${objectFormat}`, path])
  return openBare(path)
}

/** Finds the repositories of a folder, each opened anew for every request. */
export function resolveFolder(folder: string): ResolveRepository {
  return async (path) => {
    const storage = await openBareRepository(join(folder, path), { durable: false })
    if (storage === undefined) return { kind: 'not-found' }
    const repository = openRepository(storage, { codecs: createNodeCodecs() })
    return {
      kind: 'found',
      repository,
      access: { upload: true, receive: true },
      options: await readProtocolOptions(repository),
      release: () => void repository.close(),
    }
  }
}

/** Starts a server for the test file. Call it at the top of the file. */
export function useRemotes(scratch: Scratch, kind: RemoteKind): Remotes {
  const folder = scratch.fresh(`${kind}-remotes`)
  let url = ''
  let close: () => Promise<unknown> = () => Promise.resolve()
  beforeAll(async () => {
    await mkdir(folder, { recursive: true })
    if (kind === 'git') {
      const server = await startGitHttpBackend(folder)
      url = server.url
      close = () => server.close()
    } else {
      const server: RunningServer = await serve({
        handler: createGitHandler({ resolve: resolveFolder(folder) }),
      })
      url = server.url
      close = () => server.close(100)
    }
  })
  afterAll(() => close())
  const path = (name: string): string => join(folder, name)
  return {
    path,
    url: (name) => `${url}/${name}`,
    create: async (name, config = {}) => {
      await git(['init', '--quiet', '--bare', path(name)])
      await allowPush(path(name))
      for (const [key, value] of Object.entries(config))
        await git(['config', key, value], { cwd: path(name) })
      return path(name)
    },
  }
}
