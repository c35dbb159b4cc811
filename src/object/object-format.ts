import type { Codecs, HashAlgorithm } from '../codec/ports.ts'
import { GitError } from '../errors.ts'

/** A git hash function by the name used in `extensions.objectFormat` and the `object-format` capability. */
export type ObjectFormatName = 'sha1' | 'sha256'

/**
 * How a repository names its objects. Hash length is a value that travels with the repository; no code outside
 * this file knows the numbers 20 and 32.
 */
export interface ObjectFormat {
  readonly name: ObjectFormatName
  /** Bytes in an id. */
  readonly idLength: number
  /** Hexadecimal digits in an id. */
  readonly hexLength: number
  /** The all-zero id, in hexadecimal: "no object" on the wire. */
  readonly zeroId: string
  readonly hash: HashAlgorithm
}

/** The object format of the given name, hashing with the given provider. */
export function objectFormat(name: ObjectFormatName, codecs: Codecs): ObjectFormat {
  const hash = codecs[name]
  return {
    name,
    idLength: hash.length,
    hexLength: 2 * hash.length,
    zeroId: '0'.repeat(2 * hash.length),
    hash,
  }
}

/**
 * Checks an object-format name that came from a config file or the wire.
 *
 * @throws GitError `UNSUPPORTED` for any other word.
 */
export function parseObjectFormatName(name: string): ObjectFormatName {
  if (name === 'sha1' || name === 'sha256') return name
  throw new GitError('UNSUPPORTED', `unknown object format '${name}'; expected sha1 or sha256`)
}

/** Hexadecimal digits in an id of the named format, for code that holds ids but never hashes. */
export function hexLengthOf(name: ObjectFormatName): number {
  return name === 'sha1' ? 40 : 64
}
