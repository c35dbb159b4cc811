import { compareRefNames } from './ref-name.ts'
import type { RefSnapshot } from './ref-transaction.ts'
import type { Ref } from './ref.ts'

/** A ref's value without its name. */
export type RefValue = Omit<Ref, 'name'>

/** An immutable set of refs in byte order of their names. A change makes a new table. */
export interface RefTable extends RefSnapshot {
  readonly size: number
  find(name: string): Ref | undefined
  /** The refs whose names begin with `prefix`, in byte order. */
  list(prefix: string): Ref[]
  names(prefix: string): Iterable<string>
  /** The table with refs set or, with `null`, removed. */
  edit(changes: ReadonlyMap<string, RefValue | null>): RefTable
}

/** Makes a table of refs in any order, each name once. */
export function createRefTable(refs: Iterable<Ref> = []): RefTable {
  return sortedTable([...refs].sort((left, right) => compareRefNames(left.name, right.name)))
}

function sortedTable(refs: readonly Ref[]): RefTable {
  return {
    size: refs.length,
    find(name) {
      const ref = refs[lowerBound(refs, name)]
      return ref?.name === name ? ref : undefined
    },
    list: (prefix) => [...withPrefix(refs, prefix)],
    *names(prefix) {
      for (const ref of withPrefix(refs, prefix)) yield ref.name
    },
    edit(changes) {
      if (changes.size === 0) return sortedTable(refs)
      return sortedTable(mergeChanges(refs, changes))
    },
  }
}

function* withPrefix(refs: readonly Ref[], prefix: string): Iterable<Ref> {
  for (let at = lowerBound(refs, prefix); at < refs.length; at++) {
    const ref = refs[at]!
    if (!ref.name.startsWith(prefix)) return
    yield ref
  }
}

function mergeChanges(refs: readonly Ref[], changes: ReadonlyMap<string, RefValue | null>): Ref[] {
  const merged: Ref[] = []
  let copied = 0
  for (const name of [...changes.keys()].sort(compareRefNames)) {
    const at = lowerBound(refs, name)
    while (copied < at) merged.push(refs[copied++]!)
    if (refs[at]?.name === name) copied = at + 1
    const value = changes.get(name)
    if (value != null) merged.push({ name, ...value })
  }
  while (copied < refs.length) merged.push(refs[copied++]!)
  return merged
}

/** The first ref whose name is not below `name`. */
function lowerBound(refs: readonly Ref[], name: string): number {
  let low = 0
  let high = refs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareRefNames(refs[middle]!.name, name) < 0) low = middle + 1
    else high = middle
  }
  return low
}
