import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { GitError } from '../../errors.ts'
import type { LooseObjects } from '../repository-storage.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import {
  finishFile,
  makeDurableDirectories,
  readFileIfThere,
  removeFile,
  syncDirectory,
  type GitDirectory,
} from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import { isThere } from './path-facts.ts'
import { randomSuffix } from './random-name.ts'

/** Up to so many ids are looked up one by one; for more, directories are listed. */
const STATS = 256

/** What loose objects need of their repository. */
export interface LooseObjectPlace {
  readonly fs: FileSystem
  /** Path of the repository. */
  readonly path: string
  /** Digits in an id. */
  readonly hexLength: number
  /** The object directories, the repository's own first. */
  objectDirectories(): Promise<readonly string[]>
  /** For writing. */
  directory(): Promise<GitDirectory>
}

/** Loose objects as git keeps them: `objects/<first two digits>/<the others>`. */
export function createLooseObjects(place: LooseObjectPlace): LooseObjects {
  const { fs } = place
  const own = join(place.path, 'objects')
  const nameOf = (id: Uint8Array): string => {
    const hex = encodeHex(id)
    if (hex.length !== place.hexLength) {
      throw new GitError(
        'INVALID_ARGUMENT',
        `an object id of this repository has ${place.hexLength} digits: ${hex}`,
      )
    }
    return `${hex.slice(0, 2)}/${hex.slice(2)}`
  }
  return {
    async has(id) {
      const name = nameOf(id)
      if (await isThere(fs, join(own, name))) return true
      for (const directory of (await place.objectDirectories()).slice(1)) {
        if (await isThere(fs, join(directory, name))) return true
      }
      return false
    },
    async hasMany(ids) {
      const idLength = place.hexLength / 2
      const found = new Uint8Array(ids.length / idLength)
      const idAt = (at: number): Uint8Array => ids.subarray(at * idLength, (at + 1) * idLength)
      if (found.length <= STATS) {
        const ordinals = Array.from(found.keys())
        const there = await mapInParallel(ordinals, (at) => this.has(idAt(at)))
        return Uint8Array.from(there, Number)
      }
      const byFan = new Map<string, number[]>()
      for (let at = 0; at < found.length; at++) {
        const fan = encodeHex(ids.subarray(at * idLength, at * idLength + 1))
        const those = byFan.get(fan)
        if (those === undefined) byFan.set(fan, [at])
        else those.push(at)
      }
      for (const directory of await place.objectDirectories()) {
        await mapInParallel([...byFan], async ([fan, those]) => {
          const listed = new Set(await listFan(fs, join(directory, fan), fan, place.hexLength))
          if (listed.size === 0) return
          for (const at of those) if (listed.has(encodeHex(idAt(at)))) found[at] = 1
        })
      }
      return found
    },
    async read(id) {
      const name = nameOf(id)
      const found = await readFileIfThere(fs, join(own, name))
      if (found !== undefined) return found
      for (const directory of (await place.objectDirectories()).slice(1)) {
        const bytes = await readFileIfThere(fs, join(directory, name))
        if (bytes !== undefined) return bytes
      }
      return undefined
    },
    async list() {
      const fans = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
      const lists = await mapInParallel(fans, (fan) => listFan(fs, join(own, fan), fan, place.hexLength))
      return parseHex(lists.flat().join(''))
    },
    async write(id, compressed) {
      const name = nameOf(id)
      for (const directory of await place.objectDirectories()) {
        if (await freshen(fs, join(directory, name))) return
      }
      await writeObject(await place.directory(), join(own, name), compressed)
    },
  }
}

async function freshen(fs: FileSystem, path: string): Promise<boolean> {
  const now = new Date()
  try {
    await fs.utimes(path, now, now)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** The ids in one of the 256 directories, in order. */
async function listFan(fs: FileSystem, path: string, fan: string, hexLength: number): Promise<string[]> {
  const isObject = new RegExp(`^[0-9a-f]{${hexLength - 2}}$`)
  try {
    const names = await fs.readdir(path)
    return names
      .filter((name) => isObject.test(name))
      .sort()
      .map((name) => fan + name)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

async function writeObject(directory: GitDirectory, path: string, content: Uint8Array): Promise<void> {
  const { file, temporary } = await openTemporary(directory, dirname(path))
  try {
    try {
      await file.writeFile(content)
      await finishFile(directory, file, { mode: 0o444 })
    } finally {
      await file.close()
    }
    await directory.fs.rename(temporary, path)
  } catch (error) {
    await removeFile(directory.fs, temporary)
    throw error
  }
  await syncDirectory(directory, dirname(path))
}

async function openTemporary(
  directory: GitDirectory,
  folder: string,
): Promise<{ file: OpenFile; temporary: string }> {
  for (let attempt = 0; ; attempt++) {
    const temporary = join(folder, `tmp_obj_${randomSuffix()}`)
    try {
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY
      return { file: await directory.fs.open(temporary, flags, 0o600), temporary }
    } catch (error) {
      if (attempt >= 16 || !hasErrno(error, 'ENOENT', 'EEXIST')) throw error
      if (hasErrno(error, 'ENOENT')) await makeDurableDirectories(directory, folder)
    }
  }
}
