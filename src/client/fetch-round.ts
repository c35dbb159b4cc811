import type { FsckOptions } from '../object/fsck.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { ProgressListener } from '../pack/progress.ts'
import type { RefEdit } from '../refs/ref-edit.ts'
import type { AdvertisedRef, Repository } from '../repository/repository.ts'
import type { IncomingPack, IncomingPackOptions } from '../repository/incoming-pack.ts'
import { listAbsent } from './absent-objects.ts'
import type { Connection } from './connection.ts'
import type { Discovery } from './discover.ts'
import { checkBoundary, type NewBoundary, type Obtained } from './fetch-boundary.ts'
import type { FetchedRef } from './fetch-outcome.ts'
import { fetchPack } from './fetch-pack.ts'
import type { DeepenOptions, FetchRequest } from './fetch-request.ts'
import { followTags, listUnknownTags, mapTags, presentTags } from './fetch-tags.ts'
import {
  judgeFetched,
  judgePruned,
  settleOutcome,
  withdrawOutcome,
  type JudgeContext,
  type JudgedRef,
} from './judge-fetched.ts'
import { fetchFeatures } from './fetch-v2.ts'
import { readLocalRefs, type LocalRefs } from './local-refs.ts'
import { Negotiator } from './negotiator.ts'
import type { Operation } from './operation.ts'
import { registerPartialClone, type PartialClone } from './partial-clone.ts'
import type { RefMapping } from './refspec.ts'

/** How packs are taken. */
export interface ReceivingOptions {
  readonly onProgress?: ProgressListener
  /** The largest pack that is taken, in bytes. */
  readonly maxPackBytes?: number
  /** The largest object that is taken, inflated, in bytes. */
  readonly maxObjectBytes?: number
  /** When given, received objects are checked by git's rules. */
  readonly fsck?: FsckOptions
}

/** What all rounds of a fetch share. */
export interface FetchSession extends Operation {
  readonly discovery: Discovery
  readonly repository: Repository
  /** What the remote listed. */
  readonly refs: readonly AdvertisedRef[]
  readonly receiving: ReceivingOptions
  /** What the repository lacks with this remote's promise. */
  readonly partial: PartialClone
  readonly atomic: boolean
  readonly updateShallow: boolean
  readonly followsTags: boolean
  /** Who fetches, and when, for reflogs. */
  readonly reflog: JudgeContext['reflog']
}

/** What one round is for. */
export interface RoundRequest {
  readonly mappings: readonly RefMapping[]
  readonly deepen: DeepenOptions | undefined
  /** Refs to delete. */
  readonly stale: (local: LocalRefs) => readonly string[]
  /** More edits of the same transaction. */
  readonly edits: readonly RefEdit[]
}

export interface RoundResult {
  readonly refs: readonly FetchedRef[]
  readonly objectCount: number
  /** Tags whose objects did not come although what they name is here now. */
  readonly leftTags: readonly AdvertisedRef[]
}

/** Negotiates, receives, checks, and writes refs: one transaction. */
export async function runRound(session: FetchSession, request: RoundRequest): Promise<RoundResult> {
  const { repository } = session
  const local = await readLocalRefs(repository.storage)
  const unknownTags = session.followsTags ? listUnknownTags(session.refs, local, request.mappings) : []
  const view = await repository.openView()
  let obtained: Obtained
  let mappings = request.mappings
  try {
    const wanted = new Set(mappings.map(({ id }) => id))
    mappings = [...mappings, ...mapTags(await followTags(view, unknownTags, wanted))]
    obtained = await obtain(session, view, local, { ...request, mappings })
  } finally {
    await view.close()
  }
  const { incoming, wantedRefs } = obtained
  try {
    // What the remote has moved since it listed its refs.
    mappings = mappings.map((mapping) => ({
      ...mapping,
      id: wantedRefs.get(mapping.remote ?? '') ?? mapping.id,
    }))
    const asked = new Set(mappings.map((mapping) => mapping.local))
    const left = unknownTags.filter(({ name }) => !asked.has(name))
    const boundary = await checkBoundary(
      obtained,
      mappings.map(({ id }) => id),
    )
    const came = await connectedTags(incoming, await presentTags(incoming.view, left), boundary)
    mappings = [...mappings, ...mapTags(came)]
    const refs = await writeRefs(session, incoming, local, boundary, { ...request, mappings })
    const due = left.filter((tag) => !came.includes(tag))
    return {
      refs,
      objectCount: incoming.objectCount,
      leftTags: await followTags(incoming.view, due, new Set()),
    }
  } finally {
    await incoming.discard()
  }
}

/** Gets what the mappings need, from the remote unless all of it is here. */
async function obtain(
  session: FetchSession,
  view: ObjectView,
  local: LocalRefs,
  { mappings, deepen, edits }: RoundRequest,
): Promise<Obtained> {
  const { repository, connection, discovery, messages, partial } = session
  const tips = [...new Set(mappings.map(({ id }) => id))]
  const unknown = tips.filter((id) => !local.ids.has(id))
  const current = await repository.storage.readShallow()
  const isDeepening = deepen !== undefined && tips.length > 0
  const isCloning = local.ids.size === 0
  const facts = { current, isDeepening, shallow: [], unshallow: [], wantedRefs: new Map() } as const
  if (!isDeepening) {
    const incoming = await repository.receivePack(undefined)
    if (unknown.length === 0 || (await incoming.findMissing(unknown)) === undefined) {
      return { ...facts, incoming, remoteShallow: 'refuse' }
    }
    await incoming.discard()
  }
  const advertised = session.refs.map(({ id }) => id).filter((id) => local.ids.has(id))
  const wanted = new Set(isDeepening ? tips : unknown)
  const byName = mappings.filter(({ id, remote }) => wanted.has(id) && isWantedByName(session, remote, edits))
  for (const { id } of byName) wanted.delete(id)
  const request: FetchRequest = {
    wants: [...wanted],
    wantRefs: [...new Set(byName.flatMap(({ remote }) => remote ?? []))],
    haves: isCloning ? undefined : await Negotiator.create(view, [...local.ids], advertised),
    shallow: current,
    deepen: isDeepening ? deepen : undefined,
    filter: partial.filter,
    includeTag: session.followsTags,
    // A base that only history implies may be absent from a partial clone.
    thin: !isCloning && !partial.isPromisor,
  }
  const fetched = await fetchPack(connection, discovery, request, messages)
  try {
    const incoming = await repository.receivePack(fetched.pack, {
      ...receivingOptions(connection, session.receiving),
      promisor: partial.isPromisor,
    })
    const { unshallow, wantedRefs } = fetched
    const said = discovery.version === 2 || isDeepening ? fetched.shallow : discovery.shallow
    const isOurs = isDeepening || isCloning || unshallow.length > 0
    const shallow = isOurs ? said : await listAbsent(view, said)
    const remoteShallow = isCloning ? 'take' : session.updateShallow ? 'take-if-needed' : 'refuse'
    return { incoming, current, isDeepening, shallow, unshallow, remoteShallow, wantedRefs }
  } finally {
    await fetched.close()
  }
}

/** Whether a ref is asked for by its name, so that it does not matter when it moves between two requests. */
function isWantedByName(
  { discovery }: FetchSession,
  remote: string | undefined,
  edits: readonly RefEdit[],
): boolean {
  if (remote?.startsWith('refs/') !== true || discovery.version !== 2) return false
  // An id that is to be written as it was listed has to come, too.
  if (edits.some(({ target }) => target?.kind === 'direct')) return false
  return fetchFeatures(discovery).includes('ref-in-want')
}

/** The same as the repository takes them. */
export function receivingOptions(
  { signal }: Connection,
  { onProgress, maxPackBytes, maxObjectBytes, fsck }: ReceivingOptions,
): IncomingPackOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(maxPackBytes === undefined ? {} : { maxPackBytes }),
    ...(maxObjectBytes === undefined ? {} : { maxObjectBytes }),
    ...(fsck === undefined ? {} : { fsck }),
  }
}

/** Of tags that came along, those of which nothing is missing. */
async function connectedTags(
  incoming: IncomingPack,
  tags: readonly AdvertisedRef[],
  { shallow }: NewBoundary,
): Promise<readonly AdvertisedRef[]> {
  const isConnected = async (some: readonly AdvertisedRef[]): Promise<boolean> =>
    (await incoming.findMissing(
      some.map(({ id }) => id),
      shallow,
    )) === undefined
  if (tags.length === 0 || (await isConnected(tags))) return tags
  const connected: AdvertisedRef[] = []
  for (const tag of tags) if (await isConnected([tag])) connected.push(tag)
  return connected
}

async function writeRefs(
  session: FetchSession,
  incoming: IncomingPack,
  local: LocalRefs,
  { shallow, cut }: NewBoundary,
  request: RoundRequest,
): Promise<readonly FetchedRef[]> {
  const { repository, connection, partial, atomic, reflog } = session
  const view = shallow === undefined ? incoming.view : await incoming.openView(shallow)
  const judged: JudgedRef[] = []
  try {
    for (const name of request.stale(local)) {
      const target = local.targets.get(name)
      const pruned = target && judgePruned(name, target)
      if (pruned !== undefined) judged.push(pruned)
    }
    const context = { repository, view, local, cut, reflog }
    for (const mapping of request.mappings) judged.push(await judgeFetched(context, mapping))
  } finally {
    if (view !== incoming.view) await view.close()
  }

  if (atomic && judged.some(({ outcome }) => outcome.kind === 'rejected')) return judged.map(withdrawOutcome)
  const edits = judged.flatMap(({ edit }) => (edit === undefined ? [] : [edit]))
  const isWorthKeeping = judged.some(({ outcome }) => outcome.kind !== 'rejected')
  const all = [...edits, ...request.edits]
  if (!isWorthKeeping && all.length === 0) return judged.map(({ outcome }) => outcome)
  if (partial.isPromisor) await registerPartialClone(repository, partial, connection.base)
  const written = await incoming.commit(all, { atomic, ...(shallow === undefined ? {} : { shallow }) })
  const byName = new Map(written.map((outcome) => [outcome.name, outcome]))
  return judged.map((one) => settleOutcome(one, one.edit && byName.get(one.edit.name)))
}
