import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'

/**
 * Text that may hold bytes that are not UTF-8, without loss.
 *
 * Git promises no encoding for names, emails and headers. They are decoded as UTF-8, and each byte that is not part
 * of a valid sequence becomes the lone surrogate U+DC80 to U+DCFF that carries it in its low byte; encoding turns it
 * back. Ordinary text is never affected, because UTF-8 has no surrogates.
 */

const ESCAPE = 0xdc00
const strictDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SURROGATE = /[\ud800-\udfff]/
const ESCAPED_BYTES = /((?<![\ud800-\udbff])[\udc80-\udcff]+)/

/** Decodes bytes so that {@link encodeEscapedText} gives the same bytes back. */
export function decodeEscapedText(bytes: Uint8Array): string {
  const plain = decodeStrict(bytes)
  if (plain !== undefined) return plain
  let text = ''
  let start = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += decodeUtf8(bytes.subarray(start, at)) + String.fromCharCode(ESCAPE | bytes[at]!)
    start = ++at
  }
  return text + decodeUtf8(bytes.subarray(start))
}

/**
 * Encodes text as UTF-8, and escaped bytes as themselves.
 *
 * @throws GitError `INVALID_ARGUMENT` for another lone surrogate, which has no encoding.
 */
export function encodeEscapedText(text: string): Uint8Array {
  if (!SURROGATE.test(text)) return encodeUtf8(text)
  const bytes: number[] = []
  for (const [index, part] of text.split(ESCAPED_BYTES).entries()) {
    if (index % 2 === 1) {
      for (let at = 0; at < part.length; at++) bytes.push(part.charCodeAt(at) & 0xff)
    } else {
      assertWellFormed(part)
      for (const byte of encodeUtf8(part)) bytes.push(byte)
    }
  }
  return Uint8Array.from(bytes)
}

function assertWellFormed(text: string): void {
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `'${text.slice(0, 80)}' has a lone surrogate, which UTF-8 cannot encode`,
    )
  }
}

/** The text, or undefined when the bytes are not UTF-8: the decoder has no other way to say so than to throw. */
function decodeStrict(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The length of the valid UTF-8 sequence at `bytes[at]`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  return decodeStrict(bytes.subarray(at, at + length)) === undefined ? 0 : length
}
