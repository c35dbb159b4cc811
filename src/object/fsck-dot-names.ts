/**
 * Which names a file system may take for `.git`, `.gitmodules` and the like.
 *
 * HFS+ ignores certain code points and case. NTFS ignores case and trailing dots and spaces, cuts a name at `:`, and
 * gives every long name a short one (`GIT~1`, `GI7EBA~1`). Names are given as bytes decoded one to one.
 */

/** The files whose names are watched in trees. */
export type DotName = 'gitmodules' | 'gitattributes' | 'gitignore' | 'mailmap'

interface NamePatterns {
  readonly hfs: RegExp
  readonly ntfs: RegExp
}

/** Code points that HFS+ ignores: U+200C to U+200F, U+202A to U+202E, U+206A to U+206F and U+FEFF, in UTF-8. */
const HFS_IGNORED = '(?:\\xe2\\x80[\\x8c-\\x8f\\xaa-\\xae]|\\xe2\\x81[\\xaa-\\xaf]|\\xef\\xbb\\xbf)*'

/** One well-formed UTF-8 sequence of two to four bytes; U+FFFE and U+FFFF are none. */
const UTF8_SEQUENCE =
  '[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee][\\x80-\\xbf]{2}|' +
  '\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xef(?!\\xbf[\\xbe\\xbf])[\\x80-\\xbf]{2}|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|' +
  '[\\xf1-\\xf3][\\x80-\\xbf]{3}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}'

const NTFS_DOT_GIT = /^(?:\.git|git~1)[. ]*(?:[\\/:]|$)/i
const HFS_DOT_GIT = /* @__PURE__ */ hfsPattern('git')

const DOT_NAMES: readonly (readonly [DotName, NamePatterns])[] = [
  /* @__PURE__ */ dotName('gitmodules', 'gi7eba'),
  /* @__PURE__ */ dotName('gitattributes', 'gi7d29'),
  /* @__PURE__ */ dotName('gitignore', 'gi250a'),
  /* @__PURE__ */ dotName('mailmap', 'maba30'),
]

/** Tells whether HFS+ or NTFS may take the name for `.git`. */
export function isDotGit(name: string): boolean {
  return isNtfsDotGit(name) || HFS_DOT_GIT.test(name)
}

/** Tells whether NTFS may take the name, or its first component, for `.git`. */
export function isNtfsDotGit(name: string): boolean {
  return NTFS_DOT_GIT.test(name)
}

/** The watched files that HFS+ or NTFS may take the name for. */
export function dotNamesOf(name: string): readonly DotName[] {
  return DOT_NAMES.filter(([, { hfs, ntfs }]) => ntfs.test(name) || hfs.test(name)).map(
    ([dotName]) => dotName,
  )
}

/** Tells whether NTFS may take the name for `.gitmodules`. */
export function isNtfsDotGitmodules(name: string): boolean {
  return DOT_NAMES.some(([dotName, patterns]) => dotName === 'gitmodules' && patterns.ntfs.test(name))
}

function dotName(name: DotName, ntfsHash: string): readonly [DotName, NamePatterns] {
  return [name, { hfs: hfsPattern(name), ntfs: ntfsPattern(name, ntfsHash) }]
}

/** The name with ignored code points anywhere. What is not UTF-8 ends the name, because HFS+ cannot hold it. */
function hfsPattern(name: string): RegExp {
  // The flag for case would fold bytes of UTF-8 sequences too.
  const letters = Array.from(name, (letter) => `[${letter}${letter.toUpperCase()}]${HFS_IGNORED}`)
  const end = `(?:$|(?!${UTF8_SEQUENCE})[\\x80-\\xff])`
  return new RegExp(`^${HFS_IGNORED}\\.${HFS_IGNORED}${letters.join('')}${end}`)
}

/** Long name; short name `abcdef~1` to `~4`; or, when those are taken, eight characters of hash, tilde and number. */
function ntfsPattern(name: string, hash: string): RegExp {
  const hashed = Array.from({ length: 7 }, (_, kept) => `${hash.slice(0, kept)}~[1-9][0-9]{${6 - kept}}`)
  return new RegExp(`^(?:\\.${name}|${name.slice(0, 6)}~[1-4]|${hashed.join('|')})[ .]*(?::|$)`, 'i')
}
