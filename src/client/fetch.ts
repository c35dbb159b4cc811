import { isObjectId, type ObjectId } from '../object/object-id.ts'
import type { RefEdit } from '../refs/ref-edit.ts'
import type { Repository } from '../repository/repository.ts'
import type { OperationOptions } from './client-options.ts'
import type { Remote } from './connection.ts'
import { assertSameFormat, discover } from './discover.ts'
import type { FetchedRef } from './fetch-outcome.ts'
import { assertDeepenOptions, type DeepenOptions } from './fetch-request.ts'
import { offersFilters } from './fetch-pack.ts'
import { runRound, type FetchSession, type ReceivingOptions } from './fetch-round.ts'
import { mapTags } from './fetch-tags.ts'
import { listRemoteRefs } from './ls-refs.ts'
import { runOperation } from './operation.ts'
import { DEFAULT_REMOTE, planPartialClone } from './partial-clone.ts'
import { listStaleRefs, mapRefs, parseRefspec, prefixesOf, type RefMapping } from './refspec.ts'
import type { RemoteRefs } from './remote-refs.ts'

export interface FetchOptions extends OperationOptions, ReceivingOptions {
  /** What to fetch and where it goes, as for git-fetch. Default `+refs/heads/*:refs/remotes/<remote>/*`. */
  readonly refspecs?: readonly string[]
  /**
   * `auto`: tags of what is here after the fetch come along when a refspec writes refs. `all`: every tag, as by `refs/tags/*:refs/tags/*`.
   * Tags that are here already are not changed. Default `auto`.
   */
  readonly tags?: 'auto' | 'all' | 'none'
  /** Delete refs that a refspec writes to and whose source the remote no longer has. Default false. */
  readonly prune?: boolean
  /** How much history to have afterwards. Without it the present boundary stays. */
  readonly deepen?: DeepenOptions
  /** Take refs of a shallow remote that make this repository shallow too. Default false; a fetch into an empty repository always does. */
  readonly updateShallow?: boolean
  /**
   * Which objects to leave out, as `git clone --filter` takes it: `blob:none`, `blob:limit=1m`, `tree:0`, … The repository becomes, or
   * stays, a partial clone of the remote: see {@link Client.fetchObjects}. `false`: none. Default: the filter of a partial clone, if it is
   * one and the remote still offers filters.
   */
  readonly filter?: string | false
  /** The remote's name in the repository's config and among its refs. Default `origin`. */
  readonly remote?: string
  /** Write all refs or none. Default false: each stands alone. */
  readonly atomic?: boolean
  /** Who fetches, as `Name <email>`, for reflogs. */
  readonly identity?: string
}

export interface FetchResult {
  /** One outcome for each ref. A ref that could not be written is an outcome, too. */
  readonly refs: readonly FetchedRef[]
  /** What the remote has, as far as the refspecs ask for it. */
  readonly remote: RemoteRefs
  /** How many objects were received. */
  readonly objectCount: number
  /** Where history ends here now: ids of commits whose parents are not here. */
  readonly shallow: readonly ObjectId[]
}

const ALL_TAGS = 'refs/tags/*:refs/tags/*'

/** Adds edits to the transaction of a fetch, once it is known what the remote has and where it goes. */
export type ExtraEdits = (remote: RemoteRefs, mappings: readonly RefMapping[]) => readonly RefEdit[]

/** Fetches into a repository: discovery, negotiation, the pack, and the refs as one transaction. */
export function fetchInto(
  remote: Remote,
  repository: Repository,
  options: FetchOptions,
  extraEdits: ExtraEdits = () => [],
): Promise<FetchResult> {
  return runOperation(remote, options, async ({ connection, messages }) => {
    const { tags = 'auto', deepen, remote: name = DEFAULT_REMOTE } = options
    const asked = (options.refspecs ?? [`+refs/heads/*:refs/remotes/${name}/*`]).map(parseRefspec)
    const refspecs = tags === 'all' ? [...asked, parseRefspec(ALL_TAGS)] : asked
    if (deepen !== undefined) assertDeepenOptions(deepen)
    const planned = planPartialClone(await repository.readConfig(), name, options.filter)

    const discovery = await discover(connection, 'git-upload-pack')
    assertSameFormat(discovery, repository)
    // A filter that nobody asked for just now is a wish.
    const isOffered = planned.isAsked || offersFilters(discovery)
    const partial = isOffered ? planned : { ...planned, filter: undefined }
    const prefixes = ['HEAD', ...prefixesOf(refspecs), ...(tags === 'auto' ? ['refs/tags/'] : [])]
    const listed = await listRemoteRefs(connection, discovery, { prefixes: [...new Set(prefixes)] })
    const mappings = mapRefs(refspecs, listed.refs, (text) => isObjectId(text, repository.format))
    const session: FetchSession = {
      connection,
      messages,
      discovery,
      repository,
      refs: listed.refs,
      receiving: options,
      partial,
      atomic: options.atomic ?? false,
      updateShallow: options.updateShallow ?? false,
      followsTags: tags === 'auto' && mappings.some(({ local }) => local !== undefined),
      reflog: {
        identity: options.identity ?? 'packstone <packstone@localhost>',
        time: Math.floor(Date.now() / 1000),
        message: `fetch ${connection.base}`,
      },
    }
    const isShallow = (await repository.storage.readShallow()).length > 0
    // On a complete repository there is nothing more to have than all of it.
    const isVain = deepen?.depth === Infinity && !isShallow
    const first = await runRound(session, {
      mappings,
      deepen: isVain ? undefined : deepen,
      stale: ({ targets }) =>
        options.prune === true ? listStaleRefs(asked, listed.refs, [...targets.keys()]) : [],
      edits: extraEdits(listed, mappings),
    })
    const later = { mappings: mapTags(first.leftTags), deepen: undefined, stale: () => [], edits: [] }
    const second =
      first.leftTags.length === 0
        ? { refs: [], objectCount: 0 }
        : await runRound({ ...session, followsTags: false }, later)
    return {
      refs: [...first.refs, ...second.refs],
      remote: listed,
      objectCount: first.objectCount + second.objectCount,
      shallow: await repository.storage.readShallow(),
    }
  })
}
