import { constants } from 'node:fs'
import { join } from 'node:path'
import { GitError, isGitError } from '../../errors.ts'
import { parseLooseRef } from '../../refs/loose-ref.ts'
import { isWellFormedRefName } from '../../refs/ref-name.ts'
import type { RefTarget } from '../../refs/ref.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { mapInParallel } from './in-parallel.ts'

/** Where loose refs are read. */
export interface LooseRefPlace {
  readonly fs: FileSystem
  /** Path of the repository. */
  readonly path: string
  /** Digits in an id. */
  readonly hexLength: number
}

/** What is at the path of a loose ref. */
export type LooseRefEntry =
  | { readonly kind: 'ref'; readonly target: RefTarget }
  /** A directory, perhaps an empty one that a deleted ref left behind. */
  | { readonly kind: 'directory' }
  | { readonly kind: 'absent' }

const ABSENT: LooseRefEntry = { kind: 'absent' }
const DIRECTORY: LooseRefEntry = { kind: 'directory' }

/**
 * Tells whether a file of this name in a repository is a ref: anything well-formed under `refs/`, and beside it only
 * names in capitals, such as `HEAD`, so that `config` is none (gitrepository-layout).
 */
export function isStoredRefName(name: string): boolean {
  return name.startsWith('refs/') ? isWellFormedRefName(name) : /^[A-Z][A-Z_-]*$/.test(name)
}

/**
 * Reads what is at the path of a ref.
 *
 * @param name accepted by {@link isStoredRefName}.
 * @throws GitError `CORRUPT_REF`
 */
export async function readLooseRef(place: LooseRefPlace, name: string): Promise<LooseRefEntry> {
  const path = join(place.path, name)
  let content: Uint8Array
  try {
    content = await readSmallFile(place.fs, path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (isAbsent(error) || hasErrno(error, 'ENAMETOOLONG')) return ABSENT
    if (hasErrno(error, 'EISDIR')) return DIRECTORY
    if (hasErrno(error, 'ELOOP', 'EMLINK')) return readSymbolicLink(place, name)
    throw error
  }
  return { kind: 'ref', target: parseTarget(place, name, content) }
}

/** A symbolic link to a ref name is how git once stored symbolic refs; any other link is followed. */
async function readSymbolicLink(place: LooseRefPlace, name: string): Promise<LooseRefEntry> {
  const path = join(place.path, name)
  try {
    const target = await place.fs.readlink(path)
    if (target.startsWith('refs/') && isWellFormedRefName(target)) {
      return { kind: 'ref', target: { kind: 'symbolic', target } }
    }
    const content = await readSmallFile(place.fs, path, constants.O_RDONLY)
    return { kind: 'ref', target: parseTarget(place, name, content) }
  } catch (error) {
    if (isAbsent(error)) return ABSENT
    if (hasErrno(error, 'EISDIR')) return DIRECTORY
    // It is no link any more: somebody has just replaced it.
    if (hasErrno(error, 'EINVAL')) return readLooseRef(place, name)
    throw error
  }
}

function parseTarget(place: LooseRefPlace, name: string, content: Uint8Array): RefTarget {
  const target = parseLooseRef(content, name, place.hexLength)
  if (target.kind === 'direct' && /^0+$/.test(target.id)) {
    throw new GitError('CORRUPT_REF', `ref ${name} holds the zero id, which names no object`, {
      details: { ref: name },
    })
  }
  return target
}

/** A loose ref as a listing finds it. */
export interface ListedRef {
  readonly name: string
  /** Undefined where the file holds no proper value; it hides the packed value of the same name all the same. */
  readonly target: RefTarget | undefined
}

/**
 * Lists the loose refs whose names begin with `prefix`, in no particular order. As git does, leaves out what is no
 * ref: lock files and ill-formed names.
 */
export async function listLooseRefs(place: LooseRefPlace, prefix: string): Promise<ListedRef[]> {
  const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const top = directory.startsWith('refs/') ? directory : 'refs/'
  const listed = await mapInParallel(await listLooseNames(place, top, prefix), (name) =>
    readListed(place, name),
  )
  return listed.filter((ref) => ref !== undefined)
}

/**
 * Lists the names of loose refs in a directory and below, in no particular order.
 *
 * @param directory begins with `refs/` and ends in a slash.
 * @param prefix leaves out names that begin otherwise.
 */
export async function listLooseNames(
  place: LooseRefPlace,
  directory: string,
  prefix: string = directory,
): Promise<string[]> {
  const names: string[] = []
  if (directory === 'refs/' || isWellFormedRefName(directory.slice(0, -1))) {
    await collectNames(place, directory, prefix, names)
  }
  return names
}

async function collectNames(
  place: LooseRefPlace,
  directory: string,
  prefix: string,
  names: string[],
): Promise<void> {
  let entries
  try {
    entries = await place.fs.readdir(join(place.path, directory), { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return
    throw error
  }
  for (const entry of entries) {
    const name = directory + entry.name
    if (entry.isDirectory()) {
      const inside = `${name}/`
      if (inside.startsWith(prefix) || prefix.startsWith(inside))
        await collectNames(place, inside, prefix, names)
    } else if (name.startsWith(prefix) && isWellFormedRefName(name)) {
      names.push(name)
    }
  }
}

async function readListed(place: LooseRefPlace, name: string): Promise<ListedRef | undefined> {
  try {
    const entry = await readLooseRef(place, name)
    return entry.kind === 'ref' ? { name, target: entry.target } : undefined
  } catch (error) {
    if (isGitError(error, 'CORRUPT_REF')) return { name, target: undefined }
    throw error
  }
}

async function readSmallFile(fs: FileSystem, path: string, flags: number): Promise<Uint8Array> {
  const file: OpenFile = await fs.open(path, flags)
  try {
    const buffer = new Uint8Array(256)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return bytesRead < buffer.length ? buffer.subarray(0, bytesRead) : await file.readFile()
  } finally {
    await file.close()
  }
}
