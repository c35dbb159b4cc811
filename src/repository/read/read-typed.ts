import { readObject } from '../../object/object-reader.ts'
import { objectTypeName, type ObjectType, type ObjectTypeName } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'

/** What became of reading an object of which a type is expected. */
export type TypedRead =
  /** The body is shared with caches: never write to it. */
  | { readonly kind: 'found'; readonly body: Uint8Array }
  | { readonly kind: 'absent' }
  | { readonly kind: 'wrong-type'; readonly type: ObjectTypeName }
  | { readonly kind: 'too-large'; readonly size: number }

export interface ReadTypedOptions {
  /** Bodies larger than this are not read. */
  readonly maxBytes?: number
}

/** Reads an object that is expected to be of one type. Type and size are looked at before memory is taken for the body. */
export async function readTyped(
  view: ObjectView,
  id: Uint8Array,
  type: ObjectType,
  options: ReadTypedOptions = {},
): Promise<TypedRead> {
  const stated = await stateObject(view, id)
  if (stated === null) return { kind: 'absent' }
  if (stated.type !== type) return { kind: 'wrong-type', type: objectTypeName(stated.type) }
  if (stated.size > (options.maxBytes ?? Infinity)) return { kind: 'too-large', size: stated.size }
  const object = await readObject(view, id)
  return object === null ? { kind: 'absent' } : { kind: 'found', body: object.body }
}

/** Type and size of an object without its body; `null` when it is absent. */
export async function stateObject(
  view: ObjectView,
  id: Uint8Array,
): Promise<{ readonly type: ObjectType; readonly size: number } | null> {
  for (;;) {
    const type = view.tryType(id)
    const size = type == null ? type : view.trySize(id)
    if (type === null || size === null) return null
    if (type !== undefined && size !== undefined) return { type, size }
    await view.settle()
  }
}
