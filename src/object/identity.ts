import { GitError } from '../errors.ts'

/**
 * Who did something and when: `Name <email> 1700000000 +0100` in commits and tags. Texts are escaped text (see
 * escaped-text.ts).
 */
export interface Identity {
  readonly name: string
  readonly email: string
  /** Seconds since the epoch; a bigint where a number would not be exact. */
  readonly time: number | bigint
  /** As written, usually `+hhmm` or `-hhmm`; empty when there is none. */
  readonly timezone: string
  /**
   * The whole text, only when it is not in the usual form; the other fields are then what could be made of it, with
   * time 0 when it has no date. Leave it out of an identity with changed fields.
   */
  readonly verbatim?: string
}

const USUAL = /^([^<>\n\0]*) <([^<>\n\0]*)> (0|-?[1-9][0-9]*)(?: ([^\n\0]+))?$/
const UNUSUAL = /^([^<\n]*)(?:<([^>\n]*))?(?:[^\n]*>)?[ \t]*(-?[0-9]+)?[ \t]*([^\n]*)$/

/** Parses the text of an identity. Every text without a newline is one; an odd one is kept in `verbatim`. */
export function parseIdentity(text: string): Identity {
  const usual = USUAL.exec(text)
  if (usual !== null) {
    const [, name = '', email = '', time = '', timezone = ''] = usual
    return { name, email, time: parseTime(time), timezone }
  }
  const [, name = '', email = '', time = '0', timezone = ''] = UNUSUAL.exec(text) ?? []
  return { name: name.trimEnd(), email, time: parseTime(time), timezone, verbatim: text }
}

/**
 * Encodes an identity.
 *
 * @throws GitError `INVALID_ARGUMENT` when a field has a character that would end it, the time is not an integer, or
 * the fields do not belong to `verbatim`.
 */
export function encodeIdentity(identity: Identity): string {
  const { name, email, time, timezone, verbatim } = identity
  if (verbatim !== undefined) {
    assertVerbatim(identity, verbatim)
    return verbatim
  }
  if (/[<>\n\0]/.test(name) || /[<>\n\0]/.test(email) || /[\n\0]/.test(timezone)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `identity '${name} <${email}>' has a newline, NUL or angle bracket within a field; take it out`,
    )
  }
  if (typeof time === 'number' && !Number.isSafeInteger(time)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `the time of identity '${name} <${email}>' is ${time}; expected whole seconds`,
    )
  }
  return `${name} <${email}> ${time.toString()}${timezone === '' ? '' : ` ${timezone}`}`
}

function assertVerbatim(identity: Identity, verbatim: string): void {
  const parsed = parseIdentity(verbatim)
  const same =
    parsed.name === identity.name &&
    parsed.email === identity.email &&
    parsed.time === identity.time &&
    parsed.timezone === identity.timezone
  if (!same || verbatim.includes('\n')) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `identity '${identity.name} <${identity.email}>' was changed but still has the verbatim text of another; leave it out`,
    )
  }
}

function parseTime(digits: string): number | bigint {
  const time = Number(digits)
  if (!Number.isSafeInteger(time)) return BigInt(digits)
  return time === 0 ? 0 : time
}
