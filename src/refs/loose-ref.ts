import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import type { RefTarget } from './ref.ts'
import { isWellFormedRefName } from './ref-name.ts'

// A loose ref file holds `<id>\n` or `ref: <name>\n` (gitrepository-layout, "refs" and "HEAD").

/**
 * Parses the content of a loose ref file as leniently as git: white space at the end is dropped, white space after
 * `ref:` is optional, an id may be followed by white space and anything else.
 *
 * @param name the ref's name, for the message.
 * @throws GitError `CORRUPT_REF`, also for an empty file, which is what a crashed writer may leave.
 */
export function parseLooseRef(content: Uint8Array, name: string, hexLength: number): RefTarget {
  const text = decodeUtf8(content).replace(/[ \t\n\r]+$/, '')
  const target = /^ref:[ \t\n\r]*(.*)$/s.exec(text)?.[1]
  if (target !== undefined) {
    if (isWellFormedRefName(target, { allowOneLevel: true })) return { kind: 'symbolic', target }
    throw corrupt(name, text, 'the target of a symbolic ref must be a ref name')
  }
  const id = text.slice(0, hexLength)
  if (id.length < hexLength || !/^[0-9A-Fa-f]+$/.test(id) || !/^$|^[ \t\n\r]/.test(text.slice(hexLength))) {
    throw corrupt(name, text, `expected an id of ${hexLength} hexadecimal digits or 'ref: <name>'`)
  }
  return { kind: 'direct', id: id.toLowerCase() }
}

/** Encodes the content of a loose ref file. */
export function encodeLooseRef(target: RefTarget): Uint8Array {
  return encodeUtf8(target.kind === 'direct' ? `${target.id}\n` : `ref: ${target.target}\n`)
}

function corrupt(name: string, text: string, expected: string): GitError {
  const found = text === '' ? 'is empty' : `holds '${text.slice(0, 80)}'`
  return new GitError('CORRUPT_REF', `ref ${name} ${found}; ${expected}`, { details: { ref: name } })
}
