import { encodePackedRefs, type PackedRefs, type PackedRefValue } from '../../refs/packed-refs.ts'
import type { RefTableFile } from './manifest.ts'

/** Refs that the manifest holds itself, as far as they could be in a table: more than that become one. */
export const MAX_INLINE_REFS = 200

/** Tables up to this many bytes are always made one with the next. */
const SMALL_TABLE = 128 << 10
/** A table is made one with the next newer one that is not smaller than a so-many-th of it. */
const GROWTH = 8

/** A table with the file it is in. */
export interface OpenRefTable {
  readonly stored: RefTableFile
  readonly refs: PackedRefs
}

/**
 * Encodes a table out of changes and as many of the newest tables as are worth it: sizes grow by a factor from one to the next, so
 * that there are few, and a change is written again a few times only before it rests in the oldest.
 *
 * @param tables newest first.
 * @returns the bytes, none where nothing is left to say; and how many of `tables` are in them.
 */
export function compactTables(
  changes: ReadonlyMap<string, PackedRefValue>,
  tables: readonly OpenRefTable[],
  hexLength: number,
): { readonly bytes: Uint8Array; readonly merged: number } {
  let size = changes.size * (hexLength + 40)
  let merged = 0
  for (const { stored } of tables) {
    if (stored.size > Math.max(SMALL_TABLE, GROWTH * size)) break
    size += stored.size
    merged++
  }
  const values = new Map(changes)
  for (const { refs } of tables.slice(0, merged)) {
    for (const { name, target, peeled } of refs.list('')) {
      if (values.has(name) || target.kind !== 'direct') continue
      values.set(name, { id: target.id, ...(peeled === undefined ? {} : { peeled }) })
    }
  }
  if (merged === tables.length) {
    // Nothing below is left to be hidden.
    for (const [name, { id }] of values) if (/^0+$/.test(id)) values.delete(name)
  }
  return { bytes: values.size === 0 ? new Uint8Array(0) : encodePackedRefs(values, hexLength), merged }
}
