import { encodeIdentity, parseIdentity, type Identity } from './identity.ts'
import {
  encodeExtraHeaders,
  joinHeaders,
  malformedObject,
  parseExtraHeaders,
  splitHeaders,
  valueOfLine,
  type ExtraHeader,
} from './object-headers.ts'
import { GitError } from '../errors.ts'
import type { ObjectFormat } from './object-format.ts'
import { isObjectId, parseObjectId, type ObjectId } from './object-id.ts'
import { objectTypeName, parseObjectType, type ObjectTypeName } from './object-type.ts'

/** An annotated tag, with everything its bytes say. */
export interface Tag {
  readonly object: ObjectId
  readonly type: ObjectTypeName
  /** Escaped text (see escaped-text.ts). */
  readonly name: string
  /** Absent in tags from the first months of git. */
  readonly tagger?: Identity
  readonly extraHeaders: readonly ExtraHeader[]
  /** The message and, behind it, the signature if there is one: see {@link splitSignature}. */
  readonly message: Uint8Array
  /** Set when the body ends after its headers, without the blank line; the message is then empty. */
  readonly headerOnly?: true
}

/**
 * Parses a tag. Encoding the result gives the same bytes. The message is a view into the body.
 *
 * @throws GitError `CORRUPT_OBJECT` when object, type and tag do not begin it in this order.
 */
export function parseTag(body: Uint8Array, format: ObjectFormat): Tag {
  const { lines, message, headerOnly } = splitHeaders(body, 'tag')
  const object = valueOfLine(lines[0], 'object')
  if (object === undefined || !isObjectId(object, format)) {
    throw malformedObject('tag', 'it does not begin with an object line that has an object id')
  }
  const type = valueOfLine(lines[1], 'type')
  if (type === undefined) throw malformedObject('tag', 'a type line was expected after the object')
  const name = valueOfLine(lines[2], 'tag')
  if (name === undefined) throw malformedObject('tag', 'a tag line was expected after the type')
  const tagger = valueOfLine(lines[3], 'tagger')
  return {
    object,
    type: objectTypeName(parseObjectType(type)),
    name,
    ...(tagger === undefined ? {} : { tagger: parseIdentity(tagger) }),
    extraHeaders: parseExtraHeaders(lines.slice(tagger === undefined ? 3 : 4)),
    message,
    ...(headerOnly ? { headerOnly } : {}),
  }
}

/**
 * Encodes a tag.
 *
 * @throws GitError `INVALID_ID` or `INVALID_ARGUMENT` when a field cannot be written.
 */
export function encodeTag(tag: Tag, format: ObjectFormat): Uint8Array {
  const { object, type, name, tagger, extraHeaders, message, headerOnly = false } = tag
  parseObjectId(object, format)
  if (name.includes('\n')) throw new GitError('INVALID_ARGUMENT', `the tag name '${name}' has a newline`)
  const lines = [
    `object ${object}`,
    `type ${type}`,
    `tag ${name}`,
    ...(tagger === undefined ? [] : [`tagger ${encodeIdentity(tagger)}`]),
    ...encodeExtraHeaders(extraHeaders),
  ]
  return joinHeaders({ lines, message, headerOnly })
}
