import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'

/** Those of the ids that are not here, in their order. */
export async function listAbsent(view: ObjectView, ids: Iterable<ObjectId>): Promise<ObjectId[]> {
  const asked = [...ids]
  const absent = new Set<ObjectId>()
  let waiting = asked.map((id) => ({ id, raw: parseObjectId(id, view.format) }))
  while (waiting.length > 0) {
    waiting = waiting.filter(({ id, raw }) => {
      const isThere = view.tryHas(raw)
      if (isThere === false) absent.add(id)
      return isThere === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
  return asked.filter((id) => absent.has(id))
}
