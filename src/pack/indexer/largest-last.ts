import type { DeltaLinks } from './waiting-deltas.ts'

/**
 * Puts the delta that most others depend on at the end of the list of each entry. While it is walked, nothing of the entry itself is needed
 * any more, so that the memory for a path of objects depends on how they branch and not on how long a chain is.
 *
 * @param first the first delta on an entry, or -1. Bases come before their deltas.
 */
export function putLargestLast(links: DeltaLinks, count: number, first: (row: number) => number): void {
  // Rows below each row, and itself.
  const below = new Int32Array(count)
  for (let base = count - 1; base >= 0; base--) {
    let total = 1
    let largest = -1
    let beforeLargest = -1
    let last = -1
    for (let row = first(base); row >= 0; row = links.next(row)) {
      total += below[row]!
      if (largest < 0 || below[row]! > below[largest]!) {
        largest = row
        beforeLargest = last
      }
      last = row
    }
    below[base] = total
    if (largest === last) continue
    const behind = links.next(largest)
    if (beforeLargest < 0) links.setFirst(base, behind)
    else links.setNext(beforeLargest, behind)
    links.setNext(last, largest)
    links.setNext(largest, -1)
  }
}
