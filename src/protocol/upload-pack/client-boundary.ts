import { parseHex } from '../../bytes/hex.ts'
import { deepen, type DeepenResult } from '../../graph/deepen.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { readObject } from '../../object/object-reader.ts'
import { isRefName } from '../../refs/ref-name.ts'
import { protocolError } from '../protocol-error.ts'
import { asksToDeepen, INFINITE_DEPTH, type FetchRequest } from './fetch-request.ts'
import type { UploadSession } from './upload-session.ts'

/** Where the client's history ends, before this fetch and after it. */
export interface ClientBoundary extends DeepenResult {
  /** Before: of the commits the client named, those we have. */
  readonly clientShallow: readonly ObjectId[]
  /** Where our own history ends. */
  readonly serverShallow: readonly ObjectId[]
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
  const { view, repository } = session
  if (request.depth !== undefined && (request.since !== undefined || request.not.length > 0)) {
    throw protocolError('git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together')
  }
  const clientShallow = await keepKnownCommits(session, request.clientShallow)
  const serverShallow = await repository.storage.readShallow()
  const not = await Promise.all(request.not.map((name) => resolveDeepenNot(session, name)))
  const unasked = !asksToDeepen(request)
  if (unasked && !(coversServer && serverShallow.length > 0)) {
    return { clientShallow, serverShallow, shallow: [], unshallow: [] }
  }
  const depth = unasked ? INFINITE_DEPTH : request.depth
  const moved = await deepen(view, {
    wants: [...request.wants],
    clientShallow,
    serverShallow,
    ...(depth === undefined ? {} : { depth }),
    ...(request.relative ? { relative: true } : {}),
    ...(request.since === undefined ? {} : { since: request.since }),
    ...(not.length === 0 ? {} : { not }),
  })
  return { clientShallow, serverShallow, ...moved }
}

/** The lines that tell the client how its boundary moves. */
export function encodeBoundaryLines(boundary: ClientBoundary): readonly string[] {
  return [
    ...boundary.shallow.map((id) => `shallow ${id}`),
    ...boundary.unshallow.map((id) => `unshallow ${id}`),
  ]
}

async function keepKnownCommits(
  session: UploadSession,
  ids: ReadonlySet<ObjectId>,
): Promise<readonly ObjectId[]> {
  const known: ObjectId[] = []
  for (const id of ids) {
    const object = await readObject(session.view, parseHex(id))
    if (object === null) continue
    if (object.type !== COMMIT) throw protocolError(`invalid shallow object ${id}`)
    known.push(id)
  }
  return known
}

/** The places where git looks for a short ref name (gitrevisions, "<refname>"), in order. */
const SHORT_NAME_RULES: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => `refs/${name}`,
  (name) => `refs/tags/${name}`,
  (name) => `refs/heads/${name}`,
  (name) => `refs/remotes/${name}`,
  (name) => `refs/remotes/${name}/HEAD`,
]

async function resolveDeepenNot(session: UploadSession, name: string): Promise<ObjectId> {
  const found: ObjectId[] = []
  for (const rule of SHORT_NAME_RULES) {
    const full = rule(name)
    if (!isRefName(full) || session.isHidden(full)) continue
    const id = await session.repository.resolveRef(full)
    if (id !== undefined) found.push(id)
  }
  const [only] = found
  if (only === undefined || found.length > 1) {
    throw protocolError(`git upload-pack: ambiguous deepen-not: deepen-not ${name}`)
  }
  return only
}
