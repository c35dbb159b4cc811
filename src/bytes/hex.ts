import { GitError } from '../errors.ts'

const DIGITS: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** Encodes `bytes[start, end)` as lowercase hexadecimal. */
export function encodeHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  for (let at = start; at < end; at++) text += DIGITS[bytes[at]!]!
  return text
}

/** By character code: the value of a digit, or -1. */
const VALUES: Int8Array = /* @__PURE__ */ Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()),
)

/** The value of one hexadecimal digit given by its character code, or -1. Accepts both cases. */
export function hexDigit(charCode: number): number {
  // A table, because half of the branches on digits of random ids are guessed wrong.
  return charCode >>> 0 < 128 ? VALUES[charCode]! : -1
}

/**
 * Parses hexadecimal text into a new array.
 *
 * @throws GitError `INVALID_ID` when the length is odd or a character is not a hexadecimal digit.
 */
export function parseHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1)
  parseHexInto(text, bytes)
  return bytes
}

/**
 * Parses hexadecimal text into `out`, which has half as many bytes as the text has digits.
 *
 * @throws GitError `INVALID_ID` when it has another length or a character is not a hexadecimal digit.
 */
export function parseHexInto(text: string, out: Uint8Array): void {
  if (text.length !== 2 * out.length) throw notHex(text)
  for (let at = 0; at < out.length; at++) {
    const high = hexDigit(text.charCodeAt(2 * at))
    const low = hexDigit(text.charCodeAt(2 * at + 1))
    if (high < 0 || low < 0) throw notHex(text)
    out[at] = (high << 4) | low
  }
}

function notHex(text: string): GitError {
  return new GitError('INVALID_ID', `'${text.slice(0, 80)}' is not hexadecimal`)
}
