import { decodeLatin1, decodeUtf8 } from '../bytes/text.ts'

/** A tag's message in two: what its author wrote, and the signature over it. Views into the message given. */
export interface SignedMessage {
  readonly text: Uint8Array
  /** From its first armour line to the end; absent when the message is not signed. */
  readonly signature?: Uint8Array
}

const ARMOUR = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----/gm

/**
 * Decodes a message for people. `encoding` is what the commit's `encoding` header says; without one, or with one
 * that this runtime does not know, the message is taken for UTF-8. What does not decode becomes U+FFFD.
 */
export function decodeMessage(message: Uint8Array, encoding?: string): string {
  const decoder = encoding === undefined ? undefined : createDecoder(encoding)
  return decoder === undefined ? decodeUtf8(message) : decoder.decode(message)
}

/** Splits a signed tag's message. As in git, the last line that begins an armour begins the signature. */
export function splitSignature(message: Uint8Array): SignedMessage {
  const last = [...decodeLatin1(message).matchAll(ARMOUR)].at(-1)
  if (last === undefined) return { text: message }
  return { text: message.subarray(0, last.index), signature: message.subarray(last.index) }
}

/** A decoder for the label; undefined when there is none. The constructor says so by throwing a RangeError. */
function createDecoder(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label, { ignoreBOM: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
