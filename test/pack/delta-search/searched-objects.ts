import { concatBytes } from '../../../src/bytes/concat.ts'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { buffersOf, TaskPerformer, type PerformedTask } from '../../../src/hosts/threads/perform-task.ts'
import { DeflatedEntries } from '../../../src/pack/delta-search/deflated-entries.ts'
import { searchDeltas, type SearchDeltasOptions } from '../../../src/pack/delta-search/delta-search.ts'
import { createSearchHelpers, type SearchThreads } from '../../../src/pack/delta-search/search-helpers.ts'
import type { DeltaSearchInput } from '../../../src/pack/delta-search/search-input.ts'
import { checkedDeltaSearchOptions } from '../../../src/pack/delta-search/search-options.ts'
import { deltaSearchOrder } from '../../../src/pack/delta-search/search-order.ts'
import { createRandom } from '../../support/random.ts'

export const codecs = createNodeCodecs()

/** Objects to search deltas among, with their bodies. */
export interface SearchedObjects extends DeltaSearchInput {
  readonly bodies: readonly Uint8Array[]
}

/** Makes versions of some files, some of them stored whole in one of two packs, some with deltas on them already. */
export function makeObjects(seed: number, files: number, versions: number): SearchedObjects {
  const random = createRandom(seed)
  const bodies: Uint8Array[] = []
  const paths: number[] = []
  for (let file = 0; file < files; file++) {
    let body = random.bytes(60 + random.below(1500))
    const path = random.chance(0.2) ? 0 : 1 + random.below(2 * files)
    for (let count = 1 + random.below(versions); count > 0; count--) {
      bodies.push(body)
      paths.push(path)
      const at = random.below(body.length)
      body = concatBytes([body.subarray(0, at), random.bytes(random.below(20)), body.subarray(at + 3)])
    }
  }
  const column = (valueOf: () => number): number[] => bodies.map(valueOf)
  const columns = {
    types: Uint8Array.from(column(() => random.pick([2, 3, 3, 3]))),
    sizes: Float64Array.from(bodies, (body) => body.length),
    pathHashes: Uint32Array.from(paths),
  }
  let resident = -1
  let wanted = -1
  return {
    ...columns,
    bodies,
    order: deltaSearchOrder(columns, new Uint8Array(bodies.length), 1 << 20),
    idLength: 20,
    depthAbove: Uint16Array.from(column(() => (random.chance(0.1) ? random.below(4) : 0))),
    packs: Int32Array.from(column(() => random.below(3) - 1)),
    storedWhole: Uint8Array.from(column(() => random.below(2))),
    // Some are not resident until they were settled.
    tryBody: (ordinal) => {
      wanted = ordinal
      return ordinal % 7 === 0 && resident !== ordinal ? undefined : bodies[ordinal]
    },
    settle: () => {
      resident = wanted
      return Promise.resolve()
    },
  }
}

/** What a search found. */
export interface Found {
  readonly bases: Int32Array
  readonly deltaSizes: Uint32Array
  readonly entries: readonly (Uint8Array | undefined)[]
}

export type SearchOptions = Partial<Omit<SearchDeltasOptions, 'deflated' | 'deflate'>>

export async function search(objects: SearchedObjects, options: SearchOptions): Promise<Found> {
  const count = objects.bodies.length
  const deflated = new DeflatedEntries(count, 1 << 30)
  const chosen = { bases: new Int32Array(count).fill(-1), deltaSizes: new Uint32Array(count) }
  await searchDeltas(objects, chosen, {
    ...checkedDeltaSearchOptions({}),
    trustPacks: false,
    copyWhole: false,
    ...options,
    deflate: codecs.deflate,
    deflated,
  })
  const entries = objects.bodies.map((_, ordinal) => deflated.get(ordinal)?.slice())
  return { ...chosen, entries }
}

/** Threads that are none: tasks and answers go through the same copies as between threads, and answers take turns. */
export interface ImitatedThreads extends SearchThreads {
  readonly loads: number
  readonly openSegments: number
}

/** @param onLoad told the number of each load, from 1, and may throw. */
export function imitateThreads(
  count: number,
  onLoad: (number: number) => void = () => undefined,
): ImitatedThreads {
  const performers = Array.from({ length: count - 1 }, () => new TaskPerformer(codecs))
  let loads = 0
  let opened = 0
  let openSegments = 0
  const post = (performer: TaskPerformer, task: PerformedTask, buffers: ArrayBuffer[] = []) => {
    const answer = performer.perform(structuredClone(task, { transfer: buffers }))
    return answer && structuredClone(answer, { transfer: buffersOf(answer) })
  }
  return {
    count,
    provider: codecs.name,
    createHelpers: createSearchHelpers,
    get loads() {
      return loads
    },
    get openSegments() {
      return openSegments
    },
    openSegment: (segment) => {
      const key = ++opened
      const performer = performers[key % performers.length]!
      let isFirst = true
      openSegments++
      return {
        search: async (load) => {
          const first = isFirst ? { segment } : {}
          isFirst = false
          const answer = post(performer, { kind: 'search', key, ...first, load }, [load.bodies.buffer])
          const number = ++loads
          for (let turns = number % 3; turns > 0; turns--)
            await new Promise((resolve) => setImmediate(resolve))
          onLoad(number)
          if (answer?.kind === 'search') return answer.found
          throw new Error(JSON.stringify(answer))
        },
        close: () => {
          openSegments--
          post(performer, { kind: 'forget', key })
        },
      }
    },
  }
}
