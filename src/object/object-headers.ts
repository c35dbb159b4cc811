import { concatBytes } from '../bytes/concat.ts'
import { GitError } from '../errors.ts'
import { decodeEscapedText, encodeEscapedText } from './escaped-text.ts'
import type { ObjectTypeName } from './object-type.ts'

/** A header of a commit or tag beyond those every one has: `gpgsig`, `mergetag`, `encoding` or anything else. */
export interface ExtraHeader {
  /** Empty for a continuation line that continues nothing. */
  readonly name: string
  /** Escaped text, several lines joined by newlines; absent for a line without a space. */
  readonly value?: string
}

/** A commit's or tag's body as header lines and message: what both kinds have in common. */
export interface HeaderedBody {
  /** Escaped text, without the newlines. */
  readonly lines: readonly string[]
  readonly message: Uint8Array
  /** Whether the body ends after the headers, without a blank line. */
  readonly headerOnly: boolean
}

const NEWLINE = 0x0a

/**
 * Splits a body at its first blank line. The message is a view into the body.
 *
 * @throws GitError `CORRUPT_OBJECT` when the last header line does not end with a newline.
 */
export function splitHeaders(body: Uint8Array, type: ObjectTypeName): HeaderedBody {
  let end = body.indexOf(NEWLINE)
  while (end >= 0 && end + 1 < body.length && body[end + 1] !== NEWLINE) end = body.indexOf(NEWLINE, end + 1)
  if (end < 0) throw malformedObject(type, 'its header does not end with a newline')
  const headerOnly = end + 1 === body.length
  const lines = decodeEscapedText(body.subarray(0, end)).split('\n')
  return { lines, message: body.subarray(headerOnly ? body.length : end + 2), headerOnly }
}

/**
 * Joins header lines and message into a body, the inverse of {@link splitHeaders}.
 *
 * @throws GitError `INVALID_ARGUMENT` when there is a message but no blank line to begin it.
 */
export function joinHeaders({ lines, message, headerOnly }: HeaderedBody): Uint8Array {
  if (headerOnly && message.length > 0) {
    throw new GitError('INVALID_ARGUMENT', 'an object that ends after its headers cannot have a message')
  }
  const header = encodeEscapedText(`${lines.join('\n')}\n${headerOnly ? '' : '\n'}`)
  return concatBytes([header, message])
}

/** Reads extra headers; a line that begins with a space continues the one before it. */
export function parseExtraHeaders(lines: readonly string[]): readonly ExtraHeader[] {
  const headers: { name: string; value?: string }[] = []
  for (const line of lines) {
    const space = line.indexOf(' ')
    const previous = headers.at(-1)
    if (space === 0 && previous?.value !== undefined) previous.value += `\n${line.slice(1)}`
    else if (space < 0) headers.push({ name: line })
    else headers.push({ name: line.slice(0, space), value: line.slice(space + 1) })
  }
  return headers
}

/**
 * The lines of extra headers.
 *
 * @throws GitError `INVALID_ARGUMENT` for a name with a space or newline, or no text at all.
 */
export function encodeExtraHeaders(headers: readonly ExtraHeader[]): readonly string[] {
  return headers.flatMap(({ name, value }, index) => {
    const continuesNothing = name === '' && value !== undefined && headers[index - 1]?.value === undefined
    if (/[ \n]/.test(name) || (name === '' && !continuesNothing)) {
      throw new GitError('INVALID_ARGUMENT', `'${name.slice(0, 80)}' is not the name of a header`)
    }
    return value === undefined ? [name] : `${name} ${value.replaceAll('\n', '\n ')}`.split('\n')
  })
}

/** The rest of a line that begins with the word and a space. */
export function valueOfLine(line: string | undefined, word: string): string | undefined {
  return line?.startsWith(`${word} `) === true ? line.slice(word.length + 1) : undefined
}

/** The error for a commit or tag that does not parse. */
export function malformedObject(type: ObjectTypeName, what: string): GitError {
  return new GitError('CORRUPT_OBJECT', `malformed ${type}: ${what}`, { details: { type } })
}
