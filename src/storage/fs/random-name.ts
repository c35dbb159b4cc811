import { randomInt } from 'node:crypto'

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Six random letters and digits, the ending of git's temporary names. */
export function randomSuffix(): string {
  let suffix = ''
  for (let at = 0; at < 6; at++) suffix += LETTERS.charAt(randomInt(LETTERS.length))
  return suffix
}
