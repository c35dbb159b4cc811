import { parseHex } from '../../bytes/hex.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT, TAG } from '../../object/object-type.ts'
import { parseTagTarget } from '../../object/tag-target.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { protocolError } from '../protocol-error.ts'
import { findAbsent, type UploadSession } from './upload-session.ts'

/**
 * Refuses, in v0 and v1, wants that the repository's policy does not allow: by default whatever no visible ref reaches.
 * What is reachable but no tip is allowed even so, as git does where requests are stateless: the ref may have moved since
 * the client read it. In v2 any object that is there may be asked for.
 *
 * @throws GitError `PROTOCOL`, in git's words
 */
export async function assertWantsAllowed(
  session: UploadSession,
  wants: ReadonlySet<ObjectId>,
): Promise<void> {
  await assertWantsPresent(session.view, wants)
  const { options, view } = session
  if (options.allowAnySha1InWant === true) return
  const countsHidden = options.allowTipSha1InWant === true || options.allowReachableSha1InWant === true
  const refs = await session.repository.listAdvertisedRefs(view, { peel: false })
  const tips = refs.filter(({ name }) => countsHidden || !session.isHidden(name)).map(({ id }) => id)
  const tipSet = new Set(tips)
  const others = [...wants].filter((id) => !tipSet.has(id))
  const refused = others.length === 0 ? undefined : await findUnreachable(view, others, tipSet)
  if (refused !== undefined) throw notOurRef(refused)
}

/**
 * Refuses wants that are not in the repository.
 *
 * @throws GitError `PROTOCOL`, in git's words
 */
export async function assertWantsPresent(view: ObjectView, wants: ReadonlySet<ObjectId>): Promise<void> {
  const absent = await findAbsent(view, wants)
  if (absent !== undefined) throw notOurRef(absent)
}

function notOurRef(id: ObjectId): Error {
  return protocolError(`upload-pack: not our ref ${id}`)
}

/** The first of the ids that is no commit or tag which the tips reach through tags and parents. Costs a walk of history. */
async function findUnreachable(
  view: ObjectView,
  ids: readonly ObjectId[],
  tips: ReadonlySet<ObjectId>,
): Promise<ObjectId | undefined> {
  const { format } = view
  const sought = new IdTable(format.idLength, ids.length)
  for (const id of ids) sought.add(parseHex(id))
  const found = new Uint8Array(sought.size)
  let missing = sought.size
  const seen = new IdTable(format.idLength)
  let frontier: Uint8Array[] = [...tips].map((tip) => parseHex(tip))
  for (const id of frontier) seen.add(id)
  const visit = (next: Uint8Array[], id: Uint8Array): void => {
    const size = seen.size
    if (seen.add(id) === size) next.push(id)
  }
  while (frontier.length > 0 && missing > 0) {
    const next: Uint8Array[] = []
    let unsettled = false
    for (const id of frontier) {
      const object = view.tryRead(id)
      if (object === undefined) {
        next.push(id)
        unsettled = true
        continue
      }
      if (object?.type !== COMMIT && object?.type !== TAG) continue
      const ordinal = sought.find(id)
      if (ordinal >= 0 && found[ordinal] === 0) {
        found[ordinal] = 1
        missing--
      }
      if (object.type === TAG) visit(next, parseTagTarget(object.body, format).id)
      else for (const parent of parseCommitLinks(object.body, format).parents) visit(next, parent)
    }
    if (unsettled) await view.settle()
    frontier = next
  }
  return ids.find((id) => found[sought.find(parseHex(id))] === 0)
}
