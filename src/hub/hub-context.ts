import type { Codecs } from '../codec/ports.ts'
import type { MemoryBudget } from '../odb/memory-budget.ts'
import type { Storage } from '../storage/storage.ts'
import type { EventDelivery } from './events/event-delivery.ts'
import type { EventWriter } from './events/event-writer.ts'
import type { HubLimits } from './hub-limits.ts'
import type { ImportOptions } from './import/import-options.ts'
import type { Registry } from './registry/registry.ts'
import type { OpenRepositories } from './repositories/open-repositories.ts'

/** What all parts of one hub share. Made once by `createHub`, and handed down. */
export interface HubContext {
  readonly account: string
  /** Where clients reach the hub, without a slash at the end: remotes begin with it. */
  readonly origin: string
  readonly storage: Storage
  readonly registry: Registry
  readonly repositories: OpenRepositories
  readonly codecs: Codecs
  /** What names objects that strangers send. */
  readonly receiveCodecs: Codecs
  readonly memoryBudget: MemoryBudget
  readonly limits: HubLimits
  /** Absent: the hub does not import. */
  readonly imports?: ImportOptions | undefined
  readonly events: EventWriter
  readonly delivery: EventDelivery
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Bytes that nobody can guess. */
  readonly random: (count: number) => Uint8Array
  /** Lets work go on after the answer. The hub waits for it when it is closed; what it throws goes to `onError`. */
  readonly background: (work: Promise<unknown>) => void
  /** Is told of failures of the server. */
  readonly onError: (error: unknown) => void
}
