import { GitError } from '../errors.ts'

/** The longest ref name, in bytes of UTF-8, that may be created here. Git itself has no such limit, file systems have. */
export const MAX_REF_NAME_BYTES = 1024

/** The longest part between two slashes, in bytes: what a file system of 255 leaves beside `.lock`. */
export const MAX_REF_COMPONENT_BYTES = 250

/** Characters of ASCII that no ref name may have (git-check-ref-format, rules 4, 5 and 10), indexed by code. */
const FORBIDDEN: readonly boolean[] = /* @__PURE__ */ Array.from(
  { length: 128 },
  (_, code) => code <= 32 || code === 127 || '~^:?*[\\'.includes(String.fromCharCode(code)),
)

const SLASH = 47
const DOT = 46

/**
 * Tells whether a name follows the rules of git-check-ref-format. With `allowOneLevel` a name needs no slash, as
 * `HEAD` has none. Text that is not well-formed Unicode is refused, because it has no bytes to store.
 */
export function isWellFormedRefName(
  name: string,
  options: { readonly allowOneLevel?: boolean } = {},
): boolean {
  let componentAt = 0
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if (code === SLASH) {
      if (!isComponent(name, componentAt, at)) return false
      componentAt = at + 1
    } else if (code < 128) {
      if (FORBIDDEN[code]) return false
      if (code === DOT && name.charCodeAt(at + 1) === DOT) return false
      if (code === 64 && name.charCodeAt(at + 1) === 123) return false
    } else if (code >= 0xd800 && code <= 0xdfff) {
      const next = name.charCodeAt(at + 1)
      if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false
      at++
    }
  }
  if (!isComponent(name, componentAt, name.length) || name.endsWith('.') || name === '@') return false
  return componentAt > 0 || options.allowOneLevel === true
}

function isComponent(name: string, start: number, end: number): boolean {
  if (start === end || name.charCodeAt(start) === DOT) return false
  return !(end - start >= 5 && name.startsWith('.lock', end - 5))
}

/**
 * Tells whether a ref of this name may be stored and pushed to: `HEAD`, or a well-formed name under `refs/` within
 * the limits of length.
 */
export function isRefName(name: string): boolean {
  return whyNotRefName(name) === undefined
}

/**
 * Checks a ref name that came from outside.
 *
 * @throws GitError `INVALID_REF_NAME` unless {@link isRefName}.
 */
export function assertRefName(name: string): void {
  const problem = whyNotRefName(name)
  if (problem === undefined) return
  throw new GitError('INVALID_REF_NAME', `'${name.slice(0, 200)}' is not a usable ref name: ${problem}`, {
    details: { ref: name },
  })
}

function whyNotRefName(name: string): string | undefined {
  if (name === 'HEAD') return undefined
  if (!name.startsWith('refs/')) return `expected 'HEAD' or a name that begins with 'refs/'`
  if (!isWellFormedRefName(name)) return `it breaks the rules of git-check-ref-format`
  if (3 * name.length <= MAX_REF_COMPONENT_BYTES) return undefined
  if (utf8Length(name) > MAX_REF_NAME_BYTES) return `it is longer than ${MAX_REF_NAME_BYTES} bytes`
  if (name.split('/').some((component) => utf8Length(component) > MAX_REF_COMPONENT_BYTES)) {
    return `a part between slashes is longer than ${MAX_REF_COMPONENT_BYTES} bytes`
  }
  return undefined
}

/** The bytes that well-formed text takes in UTF-8; each half of a surrogate pair counts two. */
function utf8Length(text: string): number {
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    length += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3
  }
  return length
}

/**
 * Orders names as git does, by their bytes in UTF-8. That differs from the order of JavaScript strings where a
 * surrogate pair meets a character from U+E000 to U+FFFF.
 */
export function compareRefNames(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const leftCode = left.charCodeAt(at)
    const rightCode = right.charCodeAt(at)
    if (leftCode !== rightCode) return byteRank(leftCode) - byteRank(rightCode)
  }
  return left.length - right.length
}

/** Moves surrogates, which stand for U+10000 and above, behind all other code units. */
function byteRank(code: number): number {
  return code >= 0xd800 && code <= 0xdfff ? code + 0x10000 : code
}
