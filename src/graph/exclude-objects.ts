import { IdTable } from '../object/id-table.ts'
import { BLOB, type ObjectType } from '../object/object-type.ts'
import type { Enumeration } from './enumerate-objects.ts'
import type { TypeRule } from './filter-rule.ts'
import type { AskedObjects } from './filtered-walk.ts'
import type { ObjectSource } from './object-source.ts'
import { INCLUDED } from './reachability-marks.ts'

/** Leaves out of an enumeration what a rule leaves out, except for what was asked for itself. */
export async function excludeByType(
  source: ObjectSource,
  enumeration: Enumeration,
  { others, tips }: AskedObjects,
  rule: TypeRule,
): Promise<Enumeration> {
  const asked = new IdTable(source.format.idLength, others.length + tips.length)
  for (const id of tips) asked.add(id)
  for (const { id } of others) asked.add(id)
  const waiting: Uint8Array[] = []
  const left = excludeWhere(enumeration, (bytes, at, type) => {
    if (asked.has(bytes, at)) return false
    if (!rule.showsType(type)) return true
    if (type !== BLOB || rule.limit === Infinity) return false
    if (rule.limit === 0) return true
    waiting.push(bytes.slice(at, at + source.format.idLength))
    return false
  })
  const large = await listLarge(source, waiting, rule.limit)
  return large.size === 0 ? left : excludeObjects(left, large).enumeration
}

/** Those of some blobs that have at least `limit` bytes. */
async function listLarge(source: ObjectSource, blobs: Uint8Array[], limit: number): Promise<IdTable> {
  const large = new IdTable(source.format.idLength)
  let waiting = blobs
  while (waiting.length > 0) {
    waiting = waiting.filter((id) => {
      const size = source.trySize(id)
      if (size !== undefined && size !== null && size >= limit) large.add(id)
      return size === undefined
    })
    if (waiting.length > 0) await source.settle()
  }
  return large
}

/** Leaves certain objects out of an enumeration. */
export function excludeObjects(
  enumeration: Enumeration,
  ids: IdTable,
): { readonly enumeration: Enumeration; readonly excluded: readonly Uint8Array[] } {
  const excluded: Uint8Array[] = []
  const { marks, objects } = enumeration
  for (let ordinal = 0; ordinal < ids.size; ordinal++) {
    const id = ids.id(ordinal)
    const node = marks.set.find(id)
    if (node === undefined) {
      if (objects.has(id)) excluded.push(id)
    } else if (marks.has(node, INCLUDED)) {
      marks.exclude(node.pack, node.position)
      excluded.push(id)
    }
  }
  return { enumeration: withoutObjects(enumeration, (bytes, at) => ids.has(bytes, at)), excluded }
}

type Test = (bytes: Uint8Array, at: number, type: ObjectType) => boolean

function excludeWhere(enumeration: Enumeration, test: Test): Enumeration {
  const { marks } = enumeration
  for (const [number, { index, reachability }] of marks.set.packs.entries()) {
    const included = marks.marks[number]!
    for (let position = 0; position < included.length; position++) {
      if ((included[position]! & INCLUDED) === 0) continue
      const at = index.idAt(index.packOrder[position]!)
      if (test(index.bytes, at, reachability.type(position))) marks.exclude(number, position)
    }
  }
  return withoutObjects(enumeration, test)
}

/** The enumeration without those objects outside of its marks that the test picks out. */
function withoutObjects(enumeration: Enumeration, test: Test): Enumeration {
  const { objects, types, marks, known, boundaryTrees } = enumeration
  const left = new IdTable(objects.idLength, objects.size)
  const leftTypes: ObjectType[] = []
  const { ids } = objects
  for (let ordinal = 0; ordinal < objects.size; ordinal++) {
    const at = ordinal * objects.idLength
    const type = types[ordinal]!
    if (test(ids, at, type)) continue
    left.add(ids, at)
    leftTypes.push(type)
  }
  return { marks, objects: left, types: leftTypes, known, boundaryTrees }
}
