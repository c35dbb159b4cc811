import type { Repository } from '../../repository/repository.ts'
import type { HiddenRefs } from '../hidden-refs.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import type { ReceivePackOptions } from '../service-options.ts'

/** What one push request is served with. */
export interface ReceiveSession {
  readonly repository: Repository
  readonly options: ReceivePackOptions
  readonly limits: ProtocolLimits
  readonly isHidden: HiddenRefs
  readonly signal: AbortSignal | undefined
  readonly onFailure: ((error: unknown) => void) | undefined
}
