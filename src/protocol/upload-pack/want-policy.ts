import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { enumerateObjects, isIncluded } from '../../graph/enumerate-objects.ts'
import { peelAll, peelAllPresent } from '../../graph/peel.ts'
import { findReached } from '../../graph/reaches.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { protocolError } from '../protocol-error.ts'
import { findAbsent, type UploadSession } from './upload-session.ts'

/**
 * Refuses, in v0 and v1, wants that the repository's policy does not allow: by default whatever no visible ref reaches through
 * parents. What is reachable but no tip is allowed even so, as git does where requests are stateless: the ref may have moved since
 * the client read it. In v2 any object that is there may be asked for.
 *
 * Trees and blobs are refused by default. Where tips or what is reachable are allowed, a request for them costs a walk of
 * everything; git does not check them at all.
 *
 * @throws GitError `PROTOCOL`, in git's words
 */
export async function assertWantsAllowed(session: UploadSession, wants: readonly ObjectId[]): Promise<void> {
  await assertWantsPresent(session.view, wants)
  const { options, view } = session
  if (options.allowAnySha1InWant === true) return
  const countsHidden = options.allowTipSha1InWant === true || options.allowReachableSha1InWant === true
  const refs = await session.repository.listAdvertisedRefs(view, { peel: false })
  const tips = new Set(refs.filter(({ name }) => countsHidden || !session.isHidden(name)).map(({ id }) => id))
  const others = wants.filter((id) => !tips.has(id))
  if (others.length === 0) return
  const refused = await findUnreachable(view, others, tips, countsHidden)
  if (refused !== undefined) throw notOurRef(refused)
}

/**
 * Refuses wants that are not in the repository.
 *
 * @throws GitError `PROTOCOL`, in git's words
 */
export async function assertWantsPresent(view: ObjectView, wants: readonly ObjectId[]): Promise<void> {
  const absent = await findAbsent(view, wants)
  if (absent !== undefined) throw notOurRef(absent)
}

function notOurRef(id: ObjectId): Error {
  return protocolError(`upload-pack: not our ref ${id}`)
}

/**
 * The first of the ids that the tips do not reach: commits through parents, tags through tags, and trees and blobs only where
 * `anyType` says so.
 */
async function findUnreachable(
  view: ObjectView,
  ids: readonly ObjectId[],
  tips: ReadonlySet<ObjectId>,
  anyType: boolean,
): Promise<ObjectId | undefined> {
  const rawTips = Array.from(tips, (tip) => parseHex(tip))
  const peeledTips = (await peelAllPresent(view, rawTips)).filter((peeled) => peeled !== undefined)
  const named = new Set(peeledTips.flatMap(({ tags }) => tags).map((id) => encodeHex(id)))
  const open = ids.filter((id) => !named.has(id))

  const table = new CommitTable(view)
  const commits = new Map<ObjectId, number>()
  const peeledIds = await peelAll(
    view,
    open.map((id) => parseHex(id)),
  )
  for (const [at, { tags, id, type }] of peeledIds.entries()) {
    if (tags.length === 0 && type === COMMIT) commits.set(open[at]!, table.add(id))
  }
  const starts = peeledTips.filter(({ type }) => type === COMMIT).map(({ id }) => table.add(id))
  await table.load(starts)
  const reached = await findReached(table, starts, [...commits.values()])
  const rest = open.filter((id) => !reached.has(commits.get(id) ?? -1))
  if (!anyType || rest.length === 0 || rest.some((id) => commits.has(id))) return rest[0]

  const everything = await enumerateObjects(view, { wants: rawTips, haves: [] })
  return rest.find((id) => !isIncluded(everything, parseHex(id)))
}
