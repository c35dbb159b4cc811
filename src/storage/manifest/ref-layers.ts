import type { PackedRefs, PackedRefValue } from '../../refs/packed-refs.ts'
import { compareRefNames } from '../../refs/ref-name.ts'
import type { RefValue } from '../../refs/ref-table.ts'
import type { RefSnapshot } from '../../refs/ref-transaction.ts'
import type { Ref } from '../../refs/ref.ts'
import type { InlineRef } from './manifest.ts'

// Refs are in layers, of which the first that says anything about a name counts: those in the manifest itself, then tables from the
// newest to the oldest. A table is a packed-refs file (refs/packed-refs) in which the zero id says that there is no such ref.
// Symbolic refs are in the manifest only.

const ZERO = /^0+$/
const SYMBOLIC = 'ref: '

/** Changes of refs: the value, or null for a ref that is not there. */
export type RefChanges = ReadonlyMap<string, RefValue | null>

/** What the manifest itself says: a ref, or null for one that is not there. */
type InlineRefs = ReadonlyMap<string, Ref | null>

/** The refs of a repository at one moment. Immutable. */
export class RefLayers implements RefSnapshot {
  readonly inline: InlineRefs
  /** Newest first. */
  readonly tables: readonly PackedRefs[]
  /** The list that was asked for last: it is given out again, so that who made something of it sees that it is the same. */
  #listed: { readonly prefix: string; readonly refs: readonly Ref[] } | undefined

  constructor(inline: InlineRefs, tables: readonly PackedRefs[]) {
    this.inline = inline
    this.tables = tables
  }

  find(name: string): Ref | undefined {
    const found = this.inline.get(name)
    if (found !== undefined) return found ?? undefined
    for (const table of this.tables) {
      const ref = table.find(name)
      if (ref !== undefined) return isDeleted(ref) ? undefined : ref
    }
    return undefined
  }

  *names(directory: string): Generator<string, void, undefined> {
    for (const [name, value] of this.inline) if (value !== null && name.startsWith(directory)) yield name
    for (const table of this.tables) {
      for (const name of table.names(directory)) {
        // What an earlier layer has is named by that one.
        if (!this.inline.has(name) && this.find(name) !== undefined) yield name
      }
    }
  }

  /** The refs whose names begin with `prefix`, in byte order. */
  list(prefix: string): readonly Ref[] {
    if (this.#listed?.prefix !== prefix) this.#listed = { prefix, refs: this.#list(prefix) }
    return this.#listed.refs
  }

  #list(prefix: string): readonly Ref[] {
    const newer = new Map<string, Ref | null>()
    for (const [name, value] of this.inline) if (name.startsWith(prefix)) newer.set(name, value)
    for (const table of this.tables.slice(0, -1)) {
      for (const ref of table.list(prefix))
        if (!newer.has(ref.name)) newer.set(ref.name, isDeleted(ref) ? null : ref)
    }
    const oldest = this.tables.at(-1)?.list(prefix) ?? []
    return mergeRefs(oldest, newer)
  }

  /** The refs after changes. */
  edit(changes: RefChanges): RefLayers {
    if (changes.size === 0) return this
    const inline = new Map(this.inline)
    for (const [name, value] of changes) {
      // Without a table below there is nothing to hide.
      if (value === null && this.tables.length === 0) inline.delete(name)
      else inline.set(name, value && { name, ...value })
    }
    return new RefLayers(inline, this.tables)
  }
}

function isDeleted({ target }: Ref): boolean {
  return target.kind === 'direct' && ZERO.test(target.id)
}

/** Sorted refs with newer values put in. */
function mergeRefs(sorted: readonly Ref[], newer: InlineRefs): Ref[] {
  const names = [...newer.keys()].sort(compareRefNames)
  const merged: Ref[] = []
  let next = 0
  for (const ref of sorted) {
    for (; next < names.length && compareRefNames(names[next]!, ref.name) < 0; next++) push(names[next]!)
    if (names[next] === ref.name) push(names[next++]!)
    else if (!isDeleted(ref)) merged.push(ref)
  }
  for (; next < names.length; next++) push(names[next]!)
  return merged

  function push(name: string): void {
    const ref = newer.get(name)
    if (ref != null) merged.push(ref)
  }
}

/** The refs that a manifest has in itself. */
export function parseInlineRefs(inline: readonly InlineRef[]): InlineRefs {
  return new Map(
    inline.map(([name, text, peeled]): [string, Ref | null] => {
      if (text === null) return [name, null]
      const target = text.startsWith(SYMBOLIC)
        ? ({ kind: 'symbolic', target: text.slice(SYMBOLIC.length) } as const)
        : ({ kind: 'direct', id: text } as const)
      return [name, peeled === undefined ? { name, target } : { name, target, peeled }]
    }),
  )
}

export function encodeInlineRefs(changes: RefChanges): readonly InlineRef[] {
  return [...changes.keys()].sort(compareRefNames).map((name): InlineRef => {
    const value = changes.get(name)
    if (value == null) return [name, null]
    const { target, peeled } = value
    const text = target.kind === 'symbolic' ? SYMBOLIC + target.target : target.id
    return peeled === undefined ? [name, text] : [name, text, peeled]
  })
}

/** Divides changes into those that a table can hold and the symbolic ones, which stay in the manifest. */
export function divideChanges(
  changes: RefChanges,
  hexLength: number,
): { readonly table: ReadonlyMap<string, PackedRefValue>; readonly symbolic: RefChanges } {
  const table = new Map<string, PackedRefValue>()
  const symbolic = new Map<string, RefValue | null>()
  const deleted: PackedRefValue = { id: '0'.repeat(hexLength), peeled: null }
  for (const [name, value] of changes) {
    if (value === null) table.set(name, deleted)
    else if (value.target.kind === 'symbolic') symbolic.set(name, value)
    else
      table.set(name, {
        id: value.target.id,
        ...(value.peeled === undefined ? {} : { peeled: value.peeled }),
      })
  }
  return { table, symbolic }
}
