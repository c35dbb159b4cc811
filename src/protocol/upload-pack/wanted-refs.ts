import type { ObjectId } from '../../object/object-id.ts'
import { isRefName } from '../../refs/ref-name.ts'
import { protocolError } from '../protocol-error.ts'
import { addWant, type FetchRequest } from './fetch-request.ts'
import type { UploadSession } from './upload-session.ts'

/** A ref that was asked for by name, and what it is now. */
export interface WantedRef {
  readonly name: string
  readonly id: ObjectId
}

/**
 * Looks up the refs of `want-ref` lines and asks for what they name.
 *
 * @throws GitError `PROTOCOL` for a ref that is hidden or not there, in git's words
 */
export async function resolveWantedRefs(
  session: UploadSession,
  request: FetchRequest,
): Promise<readonly WantedRef[]> {
  const wanted: WantedRef[] = []
  for (const name of request.wantedRefs) {
    const isName = name === 'HEAD' || (name.startsWith('refs/') && isRefName(name))
    const id = isName && !session.isHidden(name) ? await session.repository.resolveRef(name) : undefined
    if (id === undefined) throw protocolError(`unknown ref ${name}`)
    wanted.push({ name, id })
    addWant(request, id)
  }
  return wanted
}
