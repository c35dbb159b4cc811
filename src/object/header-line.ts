import { hexDigit } from '../bytes/hex.ts'

const NEWLINE = 0x0a

/**
 * Reads the hexadecimal id written at `body[at]` and ended by a newline, as in the headers of commits and tags.
 * Returns a new array, or undefined when there is no such id. Accepts capital digits, as git does.
 */
export function parseIdLine(body: Uint8Array, at: number, idLength: number): Uint8Array | undefined {
  const end = at + 2 * idLength
  if (end >= body.length || body[end] !== NEWLINE) return undefined
  const id = new Uint8Array(idLength)
  for (let index = 0; index < idLength; index++) {
    const high = hexDigit(body[at + 2 * index]!)
    const low = hexDigit(body[at + 2 * index + 1]!)
    if (high < 0 || low < 0) return undefined
    id[index] = (high << 4) | low
  }
  return id
}

/** Tells whether the ASCII text stands at `body[at]`. */
export function hasTextAt(body: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > body.length) return false
  for (let index = 0; index < text.length; index++) {
    if (body[at + index] !== text.charCodeAt(index)) return false
  }
  return true
}

/** The offset of the newline that ends the line at `body[at]`, or the body's length when there is none. */
export function lineEnd(body: Uint8Array, at: number): number {
  const end = body.indexOf(NEWLINE, at)
  return end < 0 ? body.length : end
}
