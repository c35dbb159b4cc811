import type { ObjectView } from '../../odb/object-view.ts'
import type { IncomingPack } from '../../repository/incoming-pack.ts'
import type { Repository } from '../../repository/repository.ts'
import type { HiddenRefs } from '../hidden-refs.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import type { ReceivePackOptions } from '../service-options.ts'
import type { PushRequest } from './push-request.ts'
import type { RefPolicies } from './ref-policies.ts'

/** What one push request is served with. */
export interface ReceiveSession {
  readonly repository: Repository
  readonly options: ReceivePackOptions
  readonly limits: ProtocolLimits
  readonly isHidden: HiddenRefs
  readonly policies: RefPolicies
  readonly signal: AbortSignal | undefined
  readonly onFailure: ((error: unknown) => void) | undefined
}

/** One push that was received and is being judged and carried out. */
export interface ReceivedPush {
  readonly session: ReceiveSession
  readonly request: PushRequest
  readonly incoming: IncomingPack
  /** Stored and received objects, with the boundary of history that the push brings. */
  readonly view: ObjectView
  /** Text for the person who pushes. */
  readonly say: (text: string) => void
}
