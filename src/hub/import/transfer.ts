import { cloneInto } from '../../client/clone.ts'
import { createRemote } from '../../client/connection.ts'
import { listRefs } from '../../client/ls-refs.ts'
import type { FsckOptions } from '../../object/fsck.ts'
import type { FetchFunction } from '../../client/client-options.ts'
import type { Repository } from '../../repository/repository.ts'
import type { HubLimits } from '../hub-limits.ts'
import { importFailure } from './import-failure.ts'
import type { ImportSource } from './import-source.ts'

/** What an imported repository turned out to be. */
export interface Transferred {
  /** The branch that HEAD names; `undefined` where the remote does not say. */
  readonly defaultBranch: string | undefined
  readonly objectCount: number
}

/**
 * What old histories have and git itself only warns of, or does not look at, is taken as it is; what could hurt who checks the files out
 * is not.
 */
const IMPORT_FSCK: FsckOptions = {
  severities: {
    badDate: 'ignore',
    badDateOverflow: 'ignore',
    badEmail: 'ignore',
    badName: 'ignore',
    badTimezone: 'ignore',
    missingEmail: 'ignore',
    missingNameBeforeEmail: 'ignore',
    missingSpaceBeforeDate: 'ignore',
    missingSpaceBeforeEmail: 'ignore',
    multipleAuthors: 'ignore',
    zeroPaddedDate: 'ignore',
    fullPathname: 'error',
    hasDot: 'error',
    hasDotdot: 'error',
    hasDotgit: 'error',
  },
}

export interface TransferOptions {
  readonly fetch: FetchFunction
  readonly limits: HubLimits
  readonly signal: AbortSignal
}

/**
 * Fetches a remote into an empty repository, with all objects and refs in one atomic step.
 *
 * @throws ArtifactsError for what is the remote's or the request's fault
 */
export async function transfer(
  repository: Repository,
  source: ImportSource,
  options: TransferOptions,
): Promise<Transferred> {
  const { fetch, limits, signal } = options
  const { url, credentials, depth } = source
  try {
    const remote = createRemote({
      url,
      fetch,
      signal,
      ...(credentials === undefined ? {} : { credentials }),
    })
    const { refs, unbornHead } = await listRefs(remote, { prefixes: ['HEAD', 'refs/heads/'], peel: false })
    const head = refs.find(({ name }) => name === 'HEAD')
    const headBranch = branchOf(head?.symrefTarget ?? unbornHead)
    const branch = source.branch ?? (depth === undefined ? undefined : headBranch)
    const isEmpty = refs.length === 0
    const only = branch === undefined || (isEmpty && source.branch === undefined) ? undefined : branch
    const fetched = await cloneInto(remote, repository, {
      fsck: IMPORT_FSCK,
      ...(limits.repositoryBytes === undefined ? {} : { maxPackBytes: limits.repositoryBytes }),
      ...(limits.objectBytes === undefined ? {} : { maxObjectBytes: limits.objectBytes }),
      ...(depth === undefined ? {} : { deepen: { depth } }),
      ...(only === undefined
        ? {}
        : { refspecs: [`+refs/heads/${only}:refs/heads/${only}`], tags: 'none' as const }),
    })
    if (source.branch !== undefined) await pointHead(repository, source.branch)
    return { defaultBranch: source.branch ?? headBranch, objectCount: fetched.objectCount }
  } catch (error) {
    throw importFailure(error, source)
  }
}

/** The name of a branch without `refs/heads/`. */
function branchOf(ref: string | undefined): string | undefined {
  return ref?.startsWith('refs/heads/') === true ? ref.slice('refs/heads/'.length) : undefined
}

async function pointHead({ storage }: Repository, branch: string): Promise<void> {
  const target = { kind: 'symbolic', target: `refs/heads/${branch}` } as const
  await storage.commit({ refs: [{ name: 'HEAD', expect: { kind: 'any' }, target }], atomic: true })
}
