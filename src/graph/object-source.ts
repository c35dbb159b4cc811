import type { ObjectReader } from '../object/object-reader.ts'
import type { ObjectType } from '../object/object-type.ts'
import type { ReachabilitySet } from './reachability-set.ts'

/** A reader with what is written down of reachability; what is not in it is found by reading objects. */
export interface ObjectSource extends ObjectReader {
  readonly reachability: ReachabilitySet
  /** The type of an object, like `tryRead` without the cost of its body. */
  tryType(id: Uint8Array): ObjectType | null | undefined
  /** The size of an object's body, like `tryRead` without the cost of its body. */
  trySize(id: Uint8Array): number | null | undefined
}
