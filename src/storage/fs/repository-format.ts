import type { GitConfig } from '../../config/git-config.ts'
import { GitError } from '../../errors.ts'
import { parseObjectFormatName, type ObjectFormatName } from '../../object/object-format.ts'

/** Extensions that change nothing about how refs and objects are stored in the repository itself. */
const HARMLESS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'noop',
  'noop-v1',
  'partialclone',
  'preciousobjects',
  'relativeworktrees',
  'worktreeconfig',
])

/** Extensions that only count from format version 1 on. */
const VERSION_1_ONLY: ReadonlySet<string> = /* @__PURE__ */ new Set(['noop-v1', 'objectformat', 'refstorage'])

/**
 * Reads from its config whether we understand a repository's layout, and which object format it has
 * (git's technical/repository-version).
 *
 * @throws GitError `UNSUPPORTED` naming the version or the extension.
 */
export function parseRepositoryFormat(config: GitConfig, location: string): ObjectFormatName {
  const version = config.getInt('core.repositoryformatversion', 0)
  if (version !== 0 && version !== 1) {
    throw unsupported(location, `repository format version ${version}; expected 0 or 1`, { version })
  }
  let format: ObjectFormatName = 'sha1'
  for (const { key, value } of config.entries) {
    if (!key.startsWith('extensions.')) continue
    const extension = key.slice('extensions.'.length)
    if (version === 0) {
      // Version 0 knows no extensions, so git ignores those it has never heard of and refuses the rest.
      if (!VERSION_1_ONLY.has(extension)) continue
      throw unsupported(location, `extensions.${extension}, which needs core.repositoryFormatVersion = 1`, {
        extension,
      })
    }
    if (extension === 'objectformat') {
      format = parseObjectFormatName(value ?? '')
    } else if (extension === 'refstorage') {
      if (value !== 'files')
        throw unsupported(location, `extensions.refStorage = ${value ?? ''}`, { extension })
    } else if (!HARMLESS.has(extension)) {
      throw unsupported(location, `extensions.${extension}`, { extension })
    }
  }
  return format
}

function unsupported(
  location: string,
  what: string,
  details: Readonly<Record<string, string | number>>,
): GitError {
  return new GitError('UNSUPPORTED', `${location} has ${what}, which this storage does not support`, {
    details,
  })
}
