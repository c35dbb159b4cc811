import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ReflogEntry } from './ref-edit.ts'

// A reflog is a file of lines, oldest first: `<old id> <new id> <identity> <time> <timezone>[\t<message>]\n`.
// The all-zero id stands for "no ref" (gitrepository-layout, "logs").

/** A line of a reflog. */
export interface ReflogLine extends ReflogEntry {
  /** The ref's value before; the zero id where it was created. */
  readonly before: ObjectId
  /** The ref's value after; the zero id where it was deleted. */
  readonly after: ObjectId
}

/**
 * Encodes one line, with its line break. Runs of white space in the message become one space, as git has it.
 *
 * @throws GitError `INVALID_ARGUMENT` when the identity or a number has no place in a reflog line.
 */
export function encodeReflogLine(line: ReflogLine): Uint8Array {
  if (!/^[^\n\0<>]*<[^\n\0<>]*>$/.test(line.identity)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `reflog identity '${line.identity}' is not of the form 'Name <email>'`,
    )
  }
  if (!Number.isSafeInteger(line.time) || line.time < 0) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `reflog time ${line.time} is not a whole number of seconds since the epoch`,
    )
  }
  const message = line.message.replace(/[ \t\n\r\0]+/g, ' ').replace(/^ | $/g, '')
  const head = `${line.before} ${line.after} ${line.identity} ${line.time} ${encodeTimezone(line.timezone)}`
  return encodeUtf8(message === '' ? `${head}\n` : `${head}\t${message}\n`)
}

const LINE = /^([0-9a-f]+) ([0-9a-f]+) (.*?>) (\d+) ([+-])(\d+)(\d\d)(?:\t(.*))?$/

/**
 * Parses a reflog file, oldest line first. A last line without its line break is a torn write and left out.
 *
 * @throws GitError `CORRUPT_REF` for a line that is not a reflog line.
 */
export function parseReflog(content: Uint8Array): ReflogLine[] {
  const lines = decodeUtf8(content).split('\n')
  lines.pop()
  return lines.map((line, at) => {
    const [, before, after, identity, time, sign, hours, minutes, message = ''] = LINE.exec(line) ?? []
    if (
      before === undefined ||
      after === undefined ||
      identity === undefined ||
      before.length !== after.length
    ) {
      throw new GitError('CORRUPT_REF', `line ${at + 1} of the reflog is malformed: '${line.slice(0, 120)}'`)
    }
    const timezone = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
    return { before, after, identity, time: Number(time), timezone, message }
  })
}

/** Minutes east of UTC as git writes them: 90 is `+0130`. */
function encodeTimezone(minutes: number): string {
  if (!Number.isSafeInteger(minutes) || Math.abs(minutes) > 99 * 60 + 59) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `reflog timezone ${minutes} is not a number of minutes east of UTC`,
    )
  }
  const hours = Math.trunc(Math.abs(minutes) / 60)
  return `${minutes < 0 ? '-' : '+'}${pad(hours)}${pad(Math.abs(minutes) % 60)}`
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}
