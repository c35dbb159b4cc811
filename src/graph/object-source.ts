import type { ObjectReader } from '../object/object-reader.ts'
import type { ReachabilitySet } from './reachability-set.ts'

/** A reader with what is written down of reachability; what is not in it is found by reading objects. */
export interface ObjectSource extends ObjectReader {
  readonly reachability: ReachabilitySet
}
