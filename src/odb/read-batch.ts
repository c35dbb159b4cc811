import type { ObjectView } from './object-view.ts'

/** What is answered about objects: `undefined` while bytes are not resident, `null` for an object that is absent. */
export interface BatchRequest<Answer> {
  /** Raw ids. */
  readonly ids: readonly Uint8Array[]
  readonly tryAnswer: (id: Uint8Array) => Answer | null | undefined
  /** Bytes that an answer holds. */
  readonly weigh: (answer: Answer) => number
  /** How many bytes of answers may wait for their turn. */
  readonly maxHeldBytes: number
  /** Gets the answers in the order of `ids`. What it returns is awaited. */
  readonly take: (answer: Answer | null, position: number) => Promise<void> | undefined
}

interface Held<Answer> {
  readonly answer: Answer | null
  readonly weight: number
}

/**
 * Reads objects in the order in which packs store them, so that blocks and delta bases are met once, and gives them out in the order in
 * which they were asked for. Memory: `maxHeldBytes` and one answer; when more would wait, those whose turn it is are read first.
 *
 * @throws what `tryAnswer` and `take` throw, once everything before that position was given out
 */
export async function readBatch<Answer>(view: ObjectView, request: BatchRequest<Answer>): Promise<void> {
  const { ids, tryAnswer, weigh, maxHeldBytes, take } = request
  const held: (Held<Answer> | 'failed' | undefined)[] = []
  let heldBytes = 0
  let next = 0

  const tryHold = (position: number): boolean => {
    const answer = tryAnswer(ids[position]!)
    if (answer === undefined) return false
    const weight = answer === null ? 0 : weigh(answer)
    held[position] = { answer, weight }
    heldBytes += weight
    return true
  }
  const tryHoldEarly = (position: number): boolean => {
    try {
      return tryHold(position)
    } catch {
      // It is thrown when its turn comes, if it fails again.
      held[position] = 'failed'
      return true
    }
  }

  for (const position of inStoredOrder(view, ids)) {
    if (position < next) continue
    while (held[position] === undefined && !tryHoldEarly(position)) await view.settle()
    while (next < ids.length && (held[next] !== undefined || heldBytes > maxHeldBytes)) {
      if (held[next] === 'failed') held[next] = undefined
      while (held[next] === undefined && !tryHold(next)) await view.settle()
      const { answer, weight } = held[next] as Held<Answer>
      held[next] = undefined
      heldBytes -= weight
      const taking = take(answer, next++)
      if (taking !== undefined) await taking
    }
  }
}

/** Positions of the ids, pack by pack in the order of offsets; those that no pack has come last. */
function inStoredOrder(view: ObjectView, ids: readonly Uint8Array[]): number[] {
  const packs: unknown[] = []
  const places = ids.map((id, position) => {
    const location = view.locate(id)
    if (location === undefined) return { position, pack: Infinity, offset: 0 }
    let pack = packs.indexOf(location.pack)
    if (pack < 0) pack = packs.push(location.pack) - 1
    return { position, pack, offset: location.pack.index.offset(location.rank) }
  })
  places.sort((left, right) =>
    left.pack === right.pack ? left.offset - right.offset : left.pack < right.pack ? -1 : 1,
  )
  return places.map(({ position }) => position)
}
