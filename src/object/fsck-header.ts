import { decodeLatin1 } from '../bytes/text.ts'
import type { FsckReport } from './fsck-report.ts'
import { lineEnd } from './header-line.ts'

const NEWLINE = 0x0a
const SPACE = 0x20
const LESS_THAN = 0x3c
const GREATER_THAN = 0x3e
const PLUS = 0x2b
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const TIME_LIMIT = 2n ** 63n
const TIMESTAMP = /^[ \t\v\f\r]*([+-]?)([0-9]+)/
const TIMEZONE = /^[+-][0-9]{4}$/

/** Checks that the header block of a commit or tag ends properly. True when checks must stop. */
export function fsckHeaderBlock(body: Uint8Array, report: FsckReport): boolean {
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    if (byte === 0) return report.add('nulInHeader', `the header has a NUL at byte ${at}`)
    if (byte === NEWLINE && body[at + 1] === NEWLINE) return false
  }
  if (body.length > 0 && body[body.length - 1] === NEWLINE) return false
  return report.add('unterminatedHeader', 'the header does not end with a newline')
}

/** Checks the identity that begins at `body[at]` and fills its line. True when checks must stop. */
export function fsckIdentity(body: Uint8Array, at: number, report: FsckReport): boolean {
  const end = lineEnd(body, at)
  if (body[at] === LESS_THAN)
    return report.add('missingNameBeforeEmail', 'an identity has no name before its email')
  const mailAt = bracketAt(body, at, end)
  if (mailAt < end && body[mailAt] === GREATER_THAN)
    return report.add('badName', "an identity has '>' in its name")
  if (mailAt === end) return report.add('missingEmail', 'an identity has no email')
  if (body[mailAt - 1] !== SPACE) {
    return report.add('missingSpaceBeforeEmail', 'an identity has no space before its email')
  }
  const mailEnd = bracketAt(body, mailAt + 1, end)
  if (mailEnd === end || body[mailEnd] !== GREATER_THAN)
    return report.add('badEmail', "an email does not end with '>'")
  const spaceAt = mailEnd + 1
  if (spaceAt >= end || body[spaceAt] !== SPACE) {
    return report.add('missingSpaceBeforeDate', 'an identity has no space before its date')
  }
  return fsckDate(body, spaceAt + 1, end, report)
}

function fsckDate(body: Uint8Array, at: number, end: number, report: FsckReport): boolean {
  if (isUsualDate(body, at, end)) return false
  if (body[at] === ZERO && body[at + 1] !== SPACE)
    return report.add('zeroPaddedDate', 'a date begins with zero')
  const text = decodeLatin1(body, at, end)
  const date = TIMESTAMP.exec(text)
  if (date === null) return report.add('badDate', `'${text.slice(0, 80)}' is not a date`)
  const [whole, sign = '', digits = ''] = date
  const negative = sign === '-' && BigInt(digits) > 0n
  if (negative || (digits.length > 18 && BigInt(digits) >= TIME_LIMIT)) {
    return report.add('badDateOverflow', `${sign}${digits.slice(0, 80)} is no date that fits 63 bits`)
  }
  if (text[whole.length] !== ' ')
    return report.add('badDate', `'${text.slice(0, 80)}' has no space after the date`)
  const timezone = text.slice(whole.length + 1)
  if (!TIMEZONE.test(timezone))
    return report.add('badTimezone', `'${timezone.slice(0, 80)}' is not a time zone`)
  return false
}

/** Whether `body[at, end)` is a date of 2 to 18 digits and a time zone: what nearly every line has, without text. */
function isUsualDate(body: Uint8Array, at: number, end: number): boolean {
  const zoneAt = end - 5
  const spaceAt = zoneAt - 1
  if (spaceAt < at + 2 || spaceAt > at + 18 || body[at] === ZERO || body[spaceAt] !== SPACE) return false
  if (body[zoneAt] !== PLUS && body[zoneAt] !== MINUS) return false
  return areDigits(body, at, spaceAt) && areDigits(body, zoneAt + 1, end)
}

function areDigits(body: Uint8Array, at: number, end: number): boolean {
  for (; at < end; at++) if (body[at]! < ZERO || body[at]! > NINE) return false
  return true
}

/** The offset of the first angle bracket in `body[at, end)`, or `end`. */
function bracketAt(body: Uint8Array, at: number, end: number): number {
  while (at < end && body[at] !== LESS_THAN && body[at] !== GREATER_THAN) at++
  return at
}
