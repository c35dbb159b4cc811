import { GitError } from '../errors.ts'
import type { RefEdit } from '../refs/ref-edit.ts'
import type { RefTarget } from '../refs/ref.ts'
import type { Repository } from '../repository/repository.ts'
import type { Remote } from './connection.ts'
import { fetchInto, type FetchOptions, type FetchResult } from './fetch.ts'
import type { RefMapping } from './refspec.ts'
import type { RemoteRefs } from './remote-refs.ts'

export type CloneOptions = Omit<FetchOptions, 'prune' | 'updateShallow'> & {
  /** Take every ref under its own name, also those that are neither branches nor tags. Default false. */
  readonly mirror?: boolean
}

const BRANCHES = '+refs/heads/*:refs/heads/*'
const EVERYTHING = '+refs/*:refs/*'

/**
 * Fetches into an empty repository as `git clone --bare` does: branches and tags under their own names unless `refspecs` say otherwise,
 * and `HEAD` where the remote's is, all in one transaction.
 *
 * @throws GitError `ALREADY_EXISTS` when the repository has refs
 */
export async function cloneInto(
  remote: Remote,
  repository: Repository,
  options: CloneOptions,
): Promise<FetchResult> {
  const { mirror = false, ...fetching } = options
  if (mirror && options.refspecs !== undefined) {
    throw new GitError('INVALID_ARGUMENT', 'a mirror takes every ref; leave out mirror or refspecs')
  }
  if ((await repository.storage.listRefs('refs/')).length > 0) {
    throw new GitError(
      'ALREADY_EXISTS',
      `${repository.storage.location} has refs already; clone into an empty repository, or fetch`,
    )
  }
  return fetchInto(
    remote,
    repository,
    {
      ...fetching,
      refspecs: options.refspecs ?? [mirror ? EVERYTHING : BRANCHES],
      tags: options.tags ?? (mirror ? 'none' : options.refspecs === undefined ? 'all' : 'auto'),
    },
    (remoteRefs, mappings) => editsOfHead(remoteRefs, mappings),
  )
}

/** Puts HEAD where the remote's is: on a branch that comes along under its own name, on an unborn one, or on a commit. */
function editsOfHead(remoteRefs: RemoteRefs, mappings: readonly RefMapping[]): readonly RefEdit[] {
  const target = targetOfHead(remoteRefs, mappings)
  return target === undefined ? [] : [{ name: 'HEAD', expect: { kind: 'any' }, target }]
}

function targetOfHead(
  { refs, unbornHead }: RemoteRefs,
  mappings: readonly RefMapping[],
): RefTarget | undefined {
  const head = refs.find(({ name }) => name === 'HEAD')
  if (head === undefined) {
    const isBranch = unbornHead?.startsWith('refs/heads/') === true
    return isBranch ? { kind: 'symbolic', target: unbornHead } : undefined
  }
  const isKept = (name: string): boolean =>
    mappings.some(({ remote, local }) => remote === name && local === name)
  if (head.symrefTarget !== undefined) {
    return isKept(head.symrefTarget) ? { kind: 'symbolic', target: head.symrefTarget } : undefined
  }
  const arrives = mappings.some(({ id, local }) => id === head.id && local !== undefined)
  return arrives ? { kind: 'direct', id: head.id } : undefined
}
