import type { CommitTable } from './commit-table.ts'

/** A heap of loaded commits: the one with the latest committer date comes out first, of equal ones the first put in. */
export class CommitQueue {
  readonly #table: CommitTable
  readonly #heap: number[] = []
  readonly #turn: number[] = []
  #turns = 0

  constructor(table: CommitTable) {
    this.#table = table
  }

  get size(): number {
    return this.#heap.length
  }

  /** The commit that comes out next. Only with `size` > 0. */
  peek(): number {
    return this.#heap[0]!
  }

  push(commit: number): void {
    const heap = this.#heap
    this.#turn[commit] = this.#turns++
    let at = heap.length
    heap.push(commit)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(heap[at]!, heap[parent]!)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Takes the next commit out. Only with `size` > 0. */
  pop(): number {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    heap[0] = last
    let at = 0
    for (;;) {
      let first = at
      const left = 2 * at + 1
      if (left < heap.length && this.#before(heap[left]!, heap[first]!)) first = left
      if (left + 1 < heap.length && this.#before(heap[left + 1]!, heap[first]!)) first = left + 1
      if (first === at) return top
      this.#swap(at, first)
      at = first
    }
  }

  #before(left: number, right: number): boolean {
    const difference = this.#table.time(left) - this.#table.time(right)
    return difference !== 0 ? difference > 0 : this.#turn[left]! < this.#turn[right]!
  }

  #swap(left: number, right: number): void {
    const heap = this.#heap
    const commit = heap[left]!
    heap[left] = heap[right]!
    heap[right] = commit
  }
}
