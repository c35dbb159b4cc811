import type { ObjectFormat } from '../object/object-format.ts'
import { isObjectId, type ObjectId } from '../object/object-id.ts'

/** The id in a line of a peer, in lower case; `undefined` when the text is no full id of the format. */
export function parseWireId(text: string, format: ObjectFormat): ObjectId | undefined {
  if (isObjectId(text, format)) return text
  const id = text.toLowerCase()
  return isObjectId(id, format) ? id : undefined
}
