import { decodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import { hasTextAt, lineEnd, parseIdLine } from './header-line.ts'
import type { ObjectFormat } from './object-format.ts'
import { parseObjectType, type ObjectType } from './object-type.ts'

/** What a walk needs of a tag. */
export interface TagTarget {
  /** Raw id of the tagged object, a copy. */
  readonly id: Uint8Array
  readonly type: ObjectType
  /** The tag's own name for itself, decoded as UTF-8; absent when it has no `tag` line. */
  readonly name?: string
}

const OBJECT_LINE = 'object '
const TYPE_LINE = 'type '
const TAG_LINE = 'tag '

/**
 * Reads what a tag points at, ignoring tagger and message.
 *
 * @throws GitError `CORRUPT_OBJECT` when the object line or the type line is malformed.
 */
export function parseTagTarget(body: Uint8Array, format: ObjectFormat): TagTarget {
  const id = hasTextAt(body, 0, OBJECT_LINE)
    ? parseIdLine(body, OBJECT_LINE.length, format.idLength)
    : undefined
  if (id === undefined) throw malformedTag('it does not begin with an object line', 0)

  const typeAt = OBJECT_LINE.length + format.hexLength + 1
  if (!hasTextAt(body, typeAt, TYPE_LINE)) throw malformedTag('it has no type line', typeAt)
  const typeEnd = lineEnd(body, typeAt)
  const type = parseObjectType(decodeUtf8(body.subarray(typeAt + TYPE_LINE.length, typeEnd)))

  const tagAt = typeEnd + 1
  if (!hasTextAt(body, tagAt, TAG_LINE)) return { id, type }
  return { id, type, name: decodeUtf8(body.subarray(tagAt + TAG_LINE.length, lineEnd(body, tagAt))) }
}

function malformedTag(what: string, offset: number): GitError {
  return new GitError('CORRUPT_OBJECT', `malformed tag: ${what} (byte ${offset})`, {
    details: { type: 'tag', offset },
  })
}
