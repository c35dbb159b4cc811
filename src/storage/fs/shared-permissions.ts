import { GitError } from '../../errors.ts'

/**
 * What `core.sharedRepository` asks for: permission bits added to (`adds`) or put in place of (`replaces`) those that
 * the umask leaves. git-config, core.sharedRepository.
 */
export type SharedPermissions =
  | { readonly kind: 'umask' }
  | { readonly kind: 'adds'; readonly bits: number }
  | { readonly kind: 'replaces'; readonly bits: number }

const UMASK: SharedPermissions = { kind: 'umask' }
const GROUP: SharedPermissions = { kind: 'adds', bits: 0o660 }
const EVERYBODY: SharedPermissions = { kind: 'adds', bits: 0o664 }

const WORDS: ReadonlyMap<string, SharedPermissions> = /* @__PURE__ */ new Map<string, SharedPermissions>([
  ['umask', UMASK],
  ['false', UMASK],
  ['no', UMASK],
  ['off', UMASK],
  ['', UMASK],
  ['group', GROUP],
  ['true', GROUP],
  ['yes', GROUP],
  ['on', GROUP],
  ['all', EVERYBODY],
  ['world', EVERYBODY],
  ['everybody', EVERYBODY],
])

/**
 * Parses the value of `core.sharedRepository`; undefined stands for a setting that is not there.
 *
 * @throws GitError `CORRUPT_CONFIG`
 */
export function parseSharedPermissions(value: string | undefined): SharedPermissions {
  if (value === undefined) return UMASK
  const word = WORDS.get(value.toLowerCase())
  if (word !== undefined) return word
  const mode = /^[0-7]{1,5}$/.test(value) ? parseInt(value, 8) : -1
  if (mode === 0) return UMASK
  if (mode === 1) return GROUP
  if (mode === 2) return EVERYBODY
  if (mode > 0 && (mode & 0o600) === 0o600) return { kind: 'replaces', bits: mode & 0o666 }
  throw new GitError(
    'CORRUPT_CONFIG',
    `core.sharedRepository is '${value}'; expected umask, group, all or an octal mode that lets the owner read and write`,
  )
}

/** The mode that a file or directory of this mode must be given; the same mode when there is nothing to change. */
export function sharedMode(mode: number, shared: SharedPermissions, isDirectory: boolean): number {
  if (shared.kind === 'umask') return mode
  let bits = shared.bits
  if ((mode & 0o200) === 0) bits &= ~0o222
  if ((mode & 0o100) !== 0) bits |= (bits & 0o444) >> 2
  let result = shared.kind === 'adds' ? mode | bits : (mode & ~0o777) | bits
  if (isDirectory) {
    result |= (result & 0o444) >> 2
    if ((result & 0o060) !== 0) result |= 0o2000
  }
  return result
}
