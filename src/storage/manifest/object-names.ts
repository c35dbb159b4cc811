import { encodeHex } from '../../bytes/hex.ts'
import { GitError } from '../../errors.ts'

// Objects of a bucket, all below the prefix of the storage:
//
//   m/<repository key>                     the manifest of a repository; empty once the repository was deleted
//   r/<repository id>/key                  the key under which the repository of this id is, or was
//   r/<repository id>/f/<file id>          an immutable file: pack, index, mask, ref table, list of events
//   r/<repository id>/f/<file id>.<kind>   a file derived from the pack of this file id, which another repository may have written
//   r/<repository id>/users/<id>           the repository <id> may list files of this one
//   r/<repository id>/deleted              found deleted; its age is the time that readers had since
//   probe/<random>                         see probe.ts

/** A file as manifests name it: `<repository id>/<file id>`. The repository is the one that wrote it. */
export type FileName = string

const MAX_PREFIX_LENGTH = 256

/** Names of the objects of one storage. */
export interface ObjectNames {
  /** Begins the name of every object. */
  readonly prefix: string
  /** Begins the names of manifests; the repository's key follows. */
  readonly manifests: string
  /** Begins the names of what belongs to repositories; an id follows. */
  readonly repositories: string
  manifest(key: string): string
  /** Begins the names of everything of one repository. */
  repository(id: string): string
  keyOf(id: string): string
  deleted(id: string): string
  user(owner: string, user: string): string
  file(name: FileName): string
  /** @param writer the repository that wrote the derived file. */
  derived(writer: string, pack: FileName, kind: string): string
  probe(): string
}

/**
 * Names objects below a prefix.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function objectNames(prefix: string): ObjectNames {
  const isPrefix = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/.test(prefix)
  if (!isPrefix || prefix.length > MAX_PREFIX_LENGTH) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `'${prefix.slice(0, 100)}' is not a prefix; expected '' or segments of letters, digits, '.', '_' and '-', none beginning ` +
        `with '.', each with '/' behind it, and at most ${MAX_PREFIX_LENGTH} characters`,
    )
  }
  const manifests = `${prefix}m/`
  const repositories = `${prefix}r/`
  return {
    prefix,
    manifests,
    repositories,
    manifest: (key) => manifests + key,
    repository: (id) => `${repositories}${id}/`,
    keyOf: (id) => `${repositories}${id}/key`,
    deleted: (id) => `${repositories}${id}/deleted`,
    user: (owner, user) => `${repositories}${owner}/users/${user}`,
    file: (name) => `${repositories}${ownerOf(name)}/f/${fileIdOf(name)}`,
    derived: (writer, pack, kind) => `${repositories}${writer}/f/${fileIdOf(pack)}.${kind}`,
    probe: () => `${prefix}probe/${randomId()}`,
  }
}

/** Ninety-six random bits in hexadecimal: nobody ever has the same. */
export function randomId(): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(12)))
}

/** The id of the repository that wrote a file. */
export function ownerOf(name: FileName): string {
  return name.slice(0, name.indexOf('/'))
}

/** What tells a file from every other one in the bucket. */
export function fileIdOf(name: FileName): string {
  return name.slice(name.indexOf('/') + 1)
}
