import { parseHex, parseHexInto } from '../../bytes/hex.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { findPackOf } from '../../repository/whole-pack.ts'
import type { Repository } from '../../repository/repository.ts'
import type { HiddenRefs } from '../hidden-refs.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import type { UploadPackOptions } from '../service-options.ts'

/** What one fetch request is served from. */
export interface UploadSession {
  readonly repository: Repository
  readonly view: ObjectView
  readonly options: UploadPackOptions
  readonly limits: ProtocolLimits
  readonly isHidden: HiddenRefs
  readonly signal: AbortSignal | undefined
  readonly onFailure: ((error: unknown) => void) | undefined
  /**
   * What has been sent. Between packets an `ERR` packet may follow, or what band 3 says where the client has asked for bands
   * throughout; within a pack without side-band nothing may.
   */
  readonly sent: { anything: boolean; rawPack: boolean; inBands: boolean }
}

/** From so many ids on it is remembered that all of them are there. */
const MANY = 16

/** The first of the ids that is not in the repository. */
export async function findAbsent(view: ObjectView, ids: readonly ObjectId[]): Promise<ObjectId | undefined> {
  const { reachability, requests, format } = view
  const digest = ids.length >= MANY ? requests.digest(ids, format) : undefined
  if (digest !== undefined) {
    // What a clone asks for next is looked up once for both.
    if (findPackOf(view, ids) !== undefined) return undefined
    if (requests.present.get(reachability, digest) === true) return undefined
  }
  const raw = new Uint8Array(format.idLength)
  let open = ids.filter((id) => {
    parseHexInto(id, raw)
    return reachability.find(raw, 0) === undefined
  })
  if (digest !== undefined && open.length === 0) requests.present.set(reachability, digest, true)
  while (open.length > 0) {
    const unknown: ObjectId[] = []
    for (const id of open) {
      const present = view.tryHas(parseHex(id))
      if (present === false) return id
      if (present === undefined) unknown.push(id)
    }
    if (unknown.length > 0) await view.settle()
    open = unknown
  }
  return undefined
}
