import { encodeHex } from '../../bytes/hex.ts'
import type { Jurisdiction } from '../registry/records.ts'

/** Random bytes in a secret. */
const SECRET_BYTES = 20

const LETTERS: Readonly<Record<Jurisdiction, string>> = {
  unrestricted: 'x',
  eu: 'e',
  us: 'u',
  fedramp: 'f',
}

/** A secret, and perhaps a hint of when it expires, which counts for nothing. */
const TOKEN = /^(art_v(?:1_[0-9a-f]{40}|2_[xeuf]_[0-9a-f]{40}))(?:\?expires=\d+)?$/

/** Makes a new secret: `art_v2_<jurisdiction>_<40 hexadecimal digits>`. */
export function createSecret(jurisdiction: Jurisdiction, random: (count: number) => Uint8Array): string {
  return `art_v2_${LETTERS[jurisdiction]}_${encodeHex(random(SECRET_BYTES))}`
}

/** The text that its owner gets: the secret, and when it expires in seconds since the epoch, as a hint. */
export function tokenText(secret: string, expiresAt: number): string {
  return `${secret}?expires=${Math.floor(expiresAt / 1000)}`
}

/** The secret of a token, given with or without its hint; `undefined` for what has not the form of a token. */
export function parseSecret(text: string): string | undefined {
  return TOKEN.exec(text)?.[1]
}
