import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { CommitTable } from '../../graph/commit-table.ts'
import { deepen, type DeepenResult } from '../../graph/deepen.ts'
import { peelToCommits } from '../../graph/peel.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { readObject } from '../../object/object-reader.ts'
import { protocolError } from '../protocol-error.ts'
import { asksToDeepen, type FetchRequest } from './fetch-request.ts'
import { resolveShortName } from './object-name.ts'
import type { UploadSession } from './upload-session.ts'

/** Where the client's history ends, before this fetch and after it. */
export interface ClientBoundary extends DeepenResult {
  /** Before: of the commits the client named, those we have. */
  readonly clientShallow: readonly ObjectId[]
}

/**
 * Works out how the boundary of the client's history moves.
 *
 * @param coversServer whether a client that asks for no depth is told where our own history ends (v2; in v0 the
 * advertisement has said it)
 */
export async function readClientBoundary(
  session: UploadSession,
  request: FetchRequest,
  coversServer: boolean,
): Promise<ClientBoundary> {
  const { view } = session
  if (request.depth !== undefined && (request.since !== undefined || request.not.length > 0)) {
    throw protocolError('git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together')
  }
  const clientShallow = await keepKnownCommits(session, request.clientShallow)
  const not = await Promise.all(request.not.map((name) => resolveDeepenNot(session, name)))
  if (!asksToDeepen(request)) {
    const shallow = coversServer ? await listServerBoundary(session, request, clientShallow) : []
    return { clientShallow, shallow, unshallow: [] }
  }
  // A depth counted from the client's boundary is counted from where any ref reaches it, not only what is wanted now.
  const moved = await deepen(view, {
    wants: request.relative ? await listVisibleTips(session) : [...request.wants],
    clientShallow,
    depth: request.depth,
    relative: request.relative,
    since: request.since,
    not,
  })
  return { clientShallow, ...moved }
}

/** Where our own history ends, as far as the client gets to see it. Costs a walk of history, where it ends at all. */
async function listServerBoundary(
  { view }: UploadSession,
  request: FetchRequest,
  clientShallow: readonly ObjectId[],
): Promise<readonly ObjectId[]> {
  if (view.shallow.size === 0) return []
  const known = new Set(clientShallow)
  const table = new CommitTable(view, known)
  const wants = await peelToCommits(
    view,
    Array.from(request.wants, (id) => parseHex(id)),
  )
  const seen = new Set(wants.map((id) => table.add(id)))
  const found: ObjectId[] = []
  for (let level = [...seen]; level.length > 0;) {
    await table.load(level)
    for (const commit of level) {
      const id = table.hexId(commit)
      if (view.shallow.has(id) && !known.has(id)) found.push(id)
    }
    level = table.unseenParents(level, seen)
  }
  return found
}

/** The parents that a client gets to see when its boundary moves away from their children. */
export async function readUncoveredParents(
  session: UploadSession,
  boundary: ClientBoundary,
): Promise<readonly ObjectId[]> {
  const { view } = session
  const parents: ObjectId[] = []
  for (const id of boundary.unshallow) {
    const commit = view.shallow.has(id) ? null : await readObject(view, parseHex(id))
    if (commit === null) continue
    parents.push(...parseCommitLinks(commit.body, view.format).parents.map((parent) => encodeHex(parent)))
  }
  return parents
}

async function listVisibleTips(session: UploadSession): Promise<readonly ObjectId[]> {
  const refs = await session.repository.listAdvertisedRefs(session.view, { peel: false })
  return refs.filter(({ name }) => !session.isHidden(name)).map(({ id }) => id)
}

/** The lines that tell the client how its boundary moves. */
export function listBoundaryLines(boundary: ClientBoundary): readonly string[] {
  return [
    ...boundary.shallow.map((id) => `shallow ${id}`),
    ...boundary.unshallow.map((id) => `unshallow ${id}`),
  ]
}

async function keepKnownCommits(
  { view }: UploadSession,
  ids: ReadonlySet<ObjectId>,
): Promise<readonly ObjectId[]> {
  const absent = new Set<ObjectId>()
  let waiting = [...ids]
  while (waiting.length > 0) {
    waiting = waiting.filter((id) => {
      const type = view.tryType(parseHex(id))
      if (type === null) absent.add(id)
      else if (type !== undefined && type !== COMMIT) throw protocolError(`invalid shallow object ${id}`)
      return type === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
  return [...ids].filter((id) => !absent.has(id))
}

async function resolveDeepenNot(session: UploadSession, name: string): Promise<ObjectId> {
  const [only, ...others] = await resolveShortName(session, name)
  if (only !== undefined && others.length === 0) return only
  throw protocolError(`git upload-pack: ambiguous deepen-not: deepen-not ${name}`)
}
