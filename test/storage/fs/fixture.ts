import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RefEdit, RefExpectation } from '../../../src/refs/ref-edit.ts'
import type { RefTarget } from '../../../src/refs/ref.ts'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { openBareRepository, type FsOptions } from '../../../src/storage/fs/index.ts'
import { git, gitLines } from '../../support/git.ts'

/** An empty directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'packstone-fs-'))
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}

/** A bare repository made by git, with commits that no ref names. */
export interface BareFixture {
  readonly path: string
  readonly ids: readonly string[]
  git(...args: readonly string[]): Promise<string>
  /** What git says every ref under `refs/` is. */
  refs(): Promise<string[]>
  open(options?: FsOptions): Promise<RepositoryStorage>
}

export async function makeBare(
  options: { readonly commits?: number; readonly format?: string; readonly config?: readonly string[] } = {},
): Promise<BareFixture> {
  const path = join(await temporaryDirectory(), 'repository.git')
  await git(['init', '-q', '--bare', `--object-format=${options.format ?? 'sha1'}`, path])
  const commits = options.commits ?? 4
  const ids: string[] = []
  const tree = commits === 0 ? '' : await git(['mktree'], { cwd: path, input: '' })
  for (let at = 0; at < commits; at++) {
    ids.push(await git(['commit-tree', '-m', `commit ${at}`, tree], { cwd: path }))
  }
  for (const setting of options.config ?? []) {
    const [key = '', value = ''] = setting.split('=')
    await git(['config', '--file', join(path, 'config'), key, value])
  }
  return {
    path,
    ids,
    git: (...args) => git(args, { cwd: path }),
    refs: () => gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: path }),
    open: (open) => mustOpen(path, open),
  }
}

export async function mustOpen(path: string, options?: FsOptions): Promise<RepositoryStorage> {
  const repository = await openBareRepository(path, options)
  if (repository === undefined) throw new Error(`no repository at ${path}`)
  onTestFinished(() => repository.close())
  return repository
}

export function direct(id: string): RefTarget {
  return { kind: 'direct', id }
}

/** An edit to an id, or with `null` a deletion, by default of whatever is there. */
export function edit(name: string, id: string | null, expect: RefExpectation = { kind: 'any' }): RefEdit {
  return { name, expect, target: id === null ? null : direct(id) }
}

/** Commits edits and gives one word for each outcome. */
export async function verdicts(
  repository: RepositoryStorage,
  refs: readonly RefEdit[],
  atomic = false,
): Promise<string[]> {
  const result = await repository.commit({ refs, atomic })
  return result.refs.map((outcome) => (outcome.kind === 'applied' ? 'applied' : outcome.rejection.reason))
}

/** Name and id of all refs as the storage lists them, in the form of {@link BareFixture.refs}. */
export async function listedRefs(repository: RepositoryStorage, prefix = ''): Promise<string[]> {
  const refs = await repository.listRefs(prefix)
  return refs.map(({ name, target }) => `${name} ${target.kind === 'direct' ? target.id : target.target}`)
}
