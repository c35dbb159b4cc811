/** The largest level that a commit-graph holds. */
const MAX_LEVEL = 0x3fffffff

/** Generation numbers by position. */
export interface GenerationNumbers {
  /** Version 1: one more than the largest level of the parents. */
  readonly levels: Uint32Array
  /** Version 2: the commit's date, or one second more than the largest corrected date of the parents. */
  readonly correctedDates: Float64Array
}

/** Computes the generation numbers of commits from their parents (by position) and dates. */
export function generationNumbers(
  parents: readonly (readonly number[])[],
  times: Float64Array,
): GenerationNumbers {
  const count = parents.length
  const levels = new Uint32Array(count)
  const correctedDates = new Float64Array(count)
  const stack: number[] = []
  for (let start = 0; start < count; start++) {
    stack.push(start)
    while (stack.length > 0) {
      const commit = stack.at(-1)!
      const waiting = levels[commit] === 0 ? parents[commit]!.filter((parent) => levels[parent] === 0) : []
      if (waiting.length > 0) {
        stack.push(...waiting)
        continue
      }
      stack.pop()
      if (levels[commit] !== 0) continue
      let level = 0
      let date = times[commit]!
      for (const parent of parents[commit]!) {
        level = Math.max(level, levels[parent]!)
        date = Math.max(date, correctedDates[parent]! + 1)
      }
      levels[commit] = Math.min(level + 1, MAX_LEVEL)
      correctedDates[commit] = date
    }
  }
  return { levels, correctedDates }
}
