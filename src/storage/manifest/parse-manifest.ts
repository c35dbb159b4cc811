import { decodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { MANIFEST_VERSION, type Manifest } from './manifest.ts'

/** Tells whether a parsed JSON value has a form. */
type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isFile: Check = (value) => typeof value === 'string' && /^[0-9a-f]+\/[0-9a-f]+$/.test(value)
const isTextOrNull: Check = (value) => value === null || typeof value === 'string'

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check)
}

/** An object with these properties; those whose names end in `?` may be absent. */
function object(form: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(form)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    checks.every(([name, check]) => {
      const optional = name.endsWith('?')
      const property = (value as Record<string, unknown>)[optional ? name.slice(0, -1) : name]
      return (optional && property === undefined) || check(property)
    })
}

const isTable = object({ file: isFile, size: isCount })

const isManifest = object({
  id: (value) => typeof value === 'string' && /^[0-9a-f]+$/.test(value),
  revision: isCount,
  transactions: listOf(isText),
  objectFormat: (value) => value === 'sha1' || value === 'sha256',
  config: isText,
  shallow: (value) => listOf(isText)(value) || isTable(value),
  packs: listOf(
    object({
      name: isText,
      pack: isFile,
      idx: isFile,
      packSize: isCount,
      indexSize: isCount,
      modified: isCount,
      'mask?': isFile,
      'promisor?': (value) => value === true,
    }),
  ),
  refs: object({
    inline: listOf(
      (ref) =>
        Array.isArray(ref) &&
        isText(ref[0]) &&
        isTextOrNull(ref[1]) &&
        (ref[2] === undefined || isTextOrNull(ref[2])),
    ),
    tables: listOf(isTable),
  }),
  events: object({
    last: isCount,
    dropped: isCount,
    files: listOf(object({ file: isFile, size: isCount, last: isCount })),
    inline: listOf(object({ sequence: isCount, text: isText })),
  }),
  dropped: listOf((entry) => Array.isArray(entry) && isFile(entry[0]) && isCount(entry[1])),
})

/**
 * Parses a manifest.
 *
 * @param what the object, for messages.
 * @throws GitError `STORAGE` for anything else; `UNSUPPORTED` for a manifest of a later version.
 */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw new GitError('STORAGE', `${what} is not a manifest: it is no JSON`, { cause })
  }
  const version: unknown = typeof value === 'object' && value !== null && 'version' in value && value.version
  if (typeof version === 'number' && version !== MANIFEST_VERSION) {
    throw new GitError(
      'UNSUPPORTED',
      `${what} has version ${version}; this release knows ${MANIFEST_VERSION}: use a newer one`,
      { details: { version, known: MANIFEST_VERSION } },
    )
  }
  if (version === MANIFEST_VERSION && isManifest(value)) return value as Manifest
  throw new GitError('STORAGE', `${what} is not a manifest: a property is missing or of another form`)
}
