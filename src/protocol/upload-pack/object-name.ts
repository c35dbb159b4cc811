import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { peelPresent } from '../../graph/peel.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { isObjectId, type ObjectId } from '../../object/object-id.ts'
import { COMMIT, TREE } from '../../object/object-type.ts'
import { hasObject, readObject } from '../../object/object-reader.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import { isRefName } from '../../refs/ref-name.ts'
import { expandShortName } from '../../refs/short-ref-name.ts'
import type { UploadSession } from './upload-session.ts'

/** What a short ref name may mean among the refs that are not hidden, most likely first. */
export async function resolveShortName(session: UploadSession, name: string): Promise<readonly ObjectId[]> {
  const found: ObjectId[] = []
  for (const full of expandShortName(name)) {
    if (!isRefName(full) || session.isHidden(full)) continue
    const id = await session.repository.resolveRef(full)
    if (id !== undefined) found.push(id)
  }
  return found
}

/** The object that a full id, a ref, or one of these with `:<path>` names; `undefined` when there is none. */
export async function resolveObjectName(session: UploadSession, name: string): Promise<ObjectId | undefined> {
  const colon = name.indexOf(':')
  const revision = colon < 0 ? name : name.slice(0, colon)
  const lower = revision.toLowerCase()
  const start = isObjectId(lower, session.view.format)
    ? lower
    : (await resolveShortName(session, revision))[0]
  if (start === undefined) return undefined
  if (colon >= 0) return findAtPath(session, start, name.slice(colon + 1))
  return (await hasObject(session.view, parseHex(start))) ? start : undefined
}

async function findAtPath(
  { view }: UploadSession,
  start: ObjectId,
  path: string,
): Promise<ObjectId | undefined> {
  const peeled = await peelPresent(view, parseHex(start))
  const object = peeled === undefined ? null : await readObject(view, peeled.id)
  if (object === null || peeled === undefined) return undefined
  let id = object.type === COMMIT ? parseCommitLinks(object.body, view.format).tree : peeled.id
  for (const part of path.split('/').filter((name) => name !== '')) {
    const tree = await readObject(view, id)
    const entry = tree?.type === TREE ? findEntry(tree.body, part, view.format.idLength) : undefined
    if (entry === undefined) return undefined
    id = entry
  }
  return (await hasObject(view, id)) ? encodeHex(id) : undefined
}

function findEntry(body: Uint8Array, name: string, idLength: number): Uint8Array | undefined {
  const wanted = encodeUtf8(name)
  const cursor = new TreeCursor(idLength, body)
  while (cursor.next()) {
    const { nameStart, nameEnd, idAt } = cursor
    if (nameEnd - nameStart !== wanted.length) continue
    if (wanted.every((byte, at) => body[nameStart + at] === byte)) return body.slice(idAt, idAt + idLength)
  }
  return undefined
}
