import { mkdtempSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { git } from './git.ts'
import { allowPush } from './repositories.ts'
import { startGitHttpBackend } from './servers/git-http-backend.ts'
import type { GitServer } from './servers/git-server.ts'
import { startPackstone, type PackstoneOptions } from './servers/packstone.ts'

/** A folder for one test file. */
export interface Scratch {
  readonly path: string
  /** A path in the folder that nobody has used yet. Nothing is created. */
  fresh(name: string): string
}

/** Makes a folder that is removed after the test file. Call it at the top of the file. */
export function useScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'packstone-test-'))
  afterAll(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  let count = 0
  return { path, fresh: (name) => join(path, `${++count}-${name}`) }
}

/** Whether this run checks the tests themselves, against git's own server instead of packstone. */
export const AGAINST_GIT = process.env['INTEROP_SERVER'] === 'git'

export type ServerName = 'packstone' | 'git'

/** A server with its folder of repositories, for one test file. */
export interface Served {
  /** Where the served repositories lie. */
  readonly directory: string
  /** The URL of a repository by name. */
  url(name: string): string
  /** The path of a repository by name. */
  path(name: string): string
  /** What the server has logged so far. */
  readLog(): string
  /** Creates an empty bare repository that anonymous clients may push to; resolves with its path. */
  createRepository(name: string, config?: Readonly<Record<string, string>>): Promise<string>
}

/**
 * Starts a server before the test file and stops it afterwards. Call it at the top of the file.
 *
 * Without `name` it is packstone, unless the environment says `INTEROP_SERVER=git`: the same tests then run against git's
 * own server, which shows that the tests are right.
 */
export function useServer(scratch: Scratch, name?: ServerName, options?: PackstoneOptions): Served {
  const directory = scratch.fresh('served')
  const chosen = name ?? (AGAINST_GIT ? 'git' : 'packstone')
  let server: GitServer | undefined
  beforeAll(async () => {
    await mkdir(directory, { recursive: true })
    server =
      chosen === 'git' ? await startGitHttpBackend(directory) : await startPackstone(directory, options)
  })
  afterAll(() => server?.close())
  const path = (repository: string): string => join(directory, repository)
  return {
    directory,
    path,
    url: (repository) => `${server?.url ?? ''}/${repository}`,
    readLog: () => server?.readLog() ?? '',
    createRepository: async (repository, config = {}) => {
      await git(['init', '--quiet', '--bare', path(repository)])
      await allowPush(path(repository))
      for (const [key, value] of Object.entries(config))
        await git(['config', key, value], { cwd: path(repository) })
      return path(repository)
    },
  }
}
