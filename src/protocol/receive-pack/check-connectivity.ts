import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { hasObject, readObject } from '../../object/object-reader.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { IncomingPack } from '../../repository/incoming-pack.ts'
import type { ShallowChange } from '../../storage/repository-storage.ts'
import { peelPresent } from '../../graph/peel.ts'
import { isOpen, type CommandOutcome } from './push-outcome.ts'
import type { PushRequest } from './push-request.ts'
import type { ReceiveSession } from './receive-session.ts'

interface ConnectivityInput {
  readonly session: ReceiveSession
  readonly request: PushRequest
  readonly incoming: IncomingPack
  readonly say: (text: string) => void
}

/**
 * Refuses commands whose new objects reach something that neither came nor was there.
 *
 * The history of a shallow client ends where the client says. Where it ends earlier than ours, taking it makes this repository
 * shallow, which it must allow (`receive.shallowUpdate`).
 *
 * @returns how the list of shallow commits is to change with the refs; `undefined` when it stays.
 */
export async function checkConnectivity(
  input: ConnectivityInput,
  outcomes: readonly CommandOutcome[],
): Promise<ShallowChange | undefined> {
  const { session, request, incoming, say } = input
  const { zeroId } = session.repository.format
  const open = outcomes.filter((outcome) => isOpen(outcome) && outcome.command.newId !== zeroId)
  const tips = open.map(({ command }) => command.newId)
  if (tips.length === 0 || (await incoming.findMissing(tips)) === undefined) return undefined

  const allowed = session.options.shallowUpdate === true
  const ends = allowed ? await listHistoryEnds(incoming.view, request.clientShallow) : []
  const bounded = { add: ends, remove: [] }
  const shallowTips: ObjectId[] = []
  for (const outcome of open) {
    const { name, newId } = outcome.command
    const gap = await incoming.findMissing([newId])
    if (gap === undefined) continue
    if (ends.length > 0 && (await incoming.findMissing([newId], bounded)) === undefined) {
      shallowTips.push(newId)
      continue
    }
    const isBoundary = !allowed && request.clientShallow.has(gap.neededBy ?? gap.missing)
    outcome.error = isBoundary ? 'shallow update not allowed' : 'missing necessary objects'
    if (!isBoundary) say(`error: ${name}: missing ${gap.type} ${gap.missing}\n`)
  }
  if (shallowTips.length === 0) return undefined
  const view = await incoming.openView(bounded)
  try {
    return { add: await filterReachable(view, shallowTips, new Set(ends)), remove: [] }
  } finally {
    await view.close()
  }
}

/** Those commits of the client's boundary that came or were there, and that have a parent which neither did nor was. */
async function listHistoryEnds(view: ObjectView, boundary: ReadonlySet<ObjectId>): Promise<ObjectId[]> {
  const ends: ObjectId[] = []
  for (const id of boundary) {
    const commit = await readObject(view, parseHex(id))
    if (commit?.type !== COMMIT || view.shallow.has(id)) continue
    for (const parent of parseCommitLinks(commit.body, view.format).parents) {
      if (await hasObject(view, parent)) continue
      ends.push(id)
      break
    }
  }
  return ends
}

/** The wanted commits that the tips reach. */
async function filterReachable(
  view: ObjectView,
  tips: readonly ObjectId[],
  wanted: ReadonlySet<ObjectId>,
): Promise<ObjectId[]> {
  const found: ObjectId[] = []
  const seen = new Set<ObjectId>()
  const stack: ObjectId[] = []
  for (const tip of tips) {
    const peeled = await peelPresent(view, parseHex(tip))
    if (peeled?.type === COMMIT) stack.push(encodeHex(peeled.id))
  }
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    if (wanted.has(id)) found.push(id)
    if (view.shallow.has(id)) continue
    const commit = await readObject(view, parseHex(id))
    if (commit === null) continue
    for (const parent of parseCommitLinks(commit.body, view.format).parents) stack.push(encodeHex(parent))
  }
  return found
}
