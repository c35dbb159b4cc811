import type { ObjectId } from '../object/object-id.ts'
import type { HaveSource } from './negotiator.ts'
import { remoteFault } from './remote-refs.ts'

/** Offers ids in the order given. */
export function createOfferedHaves(ids: readonly ObjectId[]): HaveSource {
  const acknowledged = new Set<ObjectId>()
  const offered = new Set<ObjectId>()
  const iterator = ids[Symbol.iterator]()
  return {
    next() {
      const step = iterator.next()
      if (step.done === true) return Promise.resolve(undefined)
      offered.add(step.value)
      return Promise.resolve(step.value)
    },
    acknowledge(id) {
      if (!offered.has(id)) throw remoteFault(`the remote acknowledges ${id}, which it was never offered`)
      const isNews = !acknowledged.has(id)
      acknowledged.add(id)
      return isNews
    },
  }
}
