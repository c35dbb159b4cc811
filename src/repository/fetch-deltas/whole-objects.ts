import type { Enumeration } from '../../graph/enumerate-objects.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectType } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { COPY, DEFLATE, type PackSelection } from '../pack-selection.ts'

/** Objects that a selection sends whole, as columns by ordinal. */
export interface WholeObjects {
  readonly ids: IdTable
  readonly types: ObjectType[]
  readonly sizes: number[]
  /** Index in the selection's packs, -1 for an object that no pack has. */
  readonly packs: number[]
  /** Position in that pack, or ordinal of the enumeration's objects. */
  readonly positions: number[]
  /** Whether the pack stores it whole; otherwise as a delta that cannot be sent. */
  readonly storedWhole: boolean[]
}

/**
 * Lists the objects that a selection sends whole, as long as their sizes are within limits: at most `maxObject` bytes each, and
 * `maxBytes` and `maxObjects` in all. They come in the order they are sent.
 */
export async function listWholeObjects(
  view: ObjectView,
  enumeration: Enumeration,
  selection: PackSelection,
  limits: { readonly maxObject: number; readonly maxBytes: number; readonly maxObjects: number },
): Promise<WholeObjects> {
  const { objects, types } = enumeration
  const listed: WholeObjects = {
    ids: new IdTable(objects.idLength),
    types: [],
    sizes: [],
    packs: [],
    positions: [],
    storedWhole: [],
  }
  let bytes = 0
  /** Adds an object if it is within the limits; `undefined` when its size is not resident. */
  const tryAdd = (id: Uint8Array, type: ObjectType): boolean | undefined => {
    const size = view.trySize(id)
    if (size === undefined) return undefined
    if (size === null || size > limits.maxObject || bytes + size > limits.maxBytes) return false
    bytes += size
    listed.ids.add(id)
    listed.types.push(type)
    listed.sizes.push(size)
    return true
  }
  for (const [number, { file, actions, bases }] of selection.packs.entries()) {
    const { index, reachability } = file
    for (let position = 0; position < actions.length; position++) {
      const action = actions[position]!
      if (action !== DEFLATE && (action !== COPY || bases[position]! >= 0)) continue
      if (listed.ids.size === limits.maxObjects) return listed
      const id = index.id(index.packOrder[position]!)
      const type = reachability?.type(position) ?? types[objects.find(id)]
      if (type === undefined) continue
      let added = tryAdd(id, type)
      for (; added === undefined; added = tryAdd(id, type)) await view.settle()
      if (!added) continue
      listed.packs.push(number)
      listed.positions.push(position)
      listed.storedWhole.push(action === COPY)
    }
  }
  for (const ordinal of selection.unpacked) {
    if (listed.ids.size === limits.maxObjects) return listed
    let added = tryAdd(objects.view(ordinal), types[ordinal]!)
    for (; added === undefined; added = tryAdd(objects.view(ordinal), types[ordinal]!)) await view.settle()
    if (!added) continue
    listed.packs.push(-1)
    listed.positions.push(ordinal)
    listed.storedWhole.push(false)
  }
  return listed
}
