/** The versions of Git's wire protocol, by number. */
export type ProtocolVersion = 0 | 1 | 2

/**
 * Reads the value of a `Git-Protocol` header (or `GIT_PROTOCOL` variable): keys and `key=value` pairs divided by
 * colons. The highest known `version` wins, as in git; unknown keys and versions are ignored.
 */
export function parseGitProtocolHeader(value: string | null): ProtocolVersion {
  let version: ProtocolVersion = 0
  for (const item of (value ?? '').split(':')) {
    if (item === 'version=2') version = 2
    else if (item === 'version=1' && version < 1) version = 1
  }
  return version
}
