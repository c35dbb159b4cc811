import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeHex } from '../../bytes/hex.ts'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import { encodeLooseRef } from '../../refs/loose-ref.ts'
import { encodePackedRefs, type PackedRefValue } from '../../refs/packed-refs.ts'
import type { Ref } from '../../refs/ref.ts'
import { goneFromSource, type CheckedFork } from '../fork-options.ts'
import { hasErrno, isAbsent } from './errno.ts'
import type { FileSystem } from './file-system.ts'
import {
  finishFile,
  makeDirectories,
  readFileIfThere,
  syncDirectory,
  writeNewFile,
  type GitDirectory,
} from './git-directory.ts'
import { mapInParallel } from './in-parallel.ts'
import { isPackName, packPath } from './pack-directory.ts'
import { readPackMaskFile, writePackMask } from './pack-masks.ts'

/** The repository that is forked. */
export interface ForkSource {
  readonly location: string
  readonly objectFormat: ObjectFormatName
  /** Its own first, then those of its alternates. */
  readonly objectDirectories: readonly string[]
  readonly config: Uint8Array
}

/** The directories without which it is no repository, and that of packs. Everything else is made by whoever puts something there. */
const LAYOUT = ['objects/pack', 'refs']
const COPY_PIECE = 1 << 20

/**
 * Fills the directory of a fork, which nobody sees yet: hard links of the packs and loose objects, files of its own for all else, and
 * no more of those than needed, as each takes a block of the disk. All of it is durable at the end.
 *
 * @throws GitError `CONFLICT`
 */
export async function fillFork(
  directory: GitDirectory,
  source: ForkSource,
  begin: CheckedFork,
): Promise<void> {
  const { path } = directory
  const changed = new Set<string>([path])
  const makeFolder = async (folder: string): Promise<void> => {
    for (const parent of await makeDirectories(directory, folder)) changed.add(parent)
    changed.add(folder)
  }
  for (const name of LAYOUT) await makeFolder(join(path, name))
  if (begin.packs.length > 0) await makeFolder(join(path, 'packstone'))
  const writings = [
    () => writeRefs(directory, begin, hexLengthOf(source.objectFormat), makeFolder),
    () => writeNewFile(directory, join(path, 'config'), source.config),
    () => writeShallow(directory, begin),
    ...begin.packs.map((pack) => () => takePack(directory, source, pack)),
  ]
  // Each waits for the disk.
  await mapInParallel(writings, (write) => write())
  for (const folder of new Set(looseNames(begin, source.objectFormat).map((name) => dirname(name)))) {
    await makeFolder(join(path, 'objects', folder))
  }
  await mapInParallel(looseNames(begin, source.objectFormat), async (name) => {
    const linked = await linkFirst(directory, source.objectDirectories, name, join(path, 'objects', name))
    if (linked === undefined) throw goneFromSource(source.location, `loose object ${name}`)
  })
  await mapInParallel([...changed], (folder) => syncDirectory(directory, folder))
}

async function writeShallow(directory: GitDirectory, { shallow }: CheckedFork): Promise<void> {
  if (shallow.length === 0) return
  const lines = shallow.map((id) => `${id}\n`).join('')
  await writeNewFile(directory, join(directory.path, 'shallow'), encodeUtf8(lines))
}

async function takePack(
  directory: GitDirectory,
  source: ForkSource,
  { name, visible }: CheckedFork['packs'][number],
): Promise<void> {
  const from = isPackName(name) ? await linkPack(directory, source, name) : undefined
  if (from === undefined) throw goneFromSource(source.location, `pack ${name}`)
  const mask = visible ?? (await readPackMaskFile(directory.fs, [from], name))
  if (mask !== undefined) await writePackMask(directory, name, mask)
}

function looseNames({ loose }: CheckedFork, objectFormat: ObjectFormatName): string[] {
  const length = hexLengthOf(objectFormat) / 2
  return Array.from({ length: loose.length / length }, (_, at) => {
    const hex = encodeHex(loose.subarray(at * length, (at + 1) * length))
    return `${hex.slice(0, 2)}/${hex.slice(2)}`
  })
}

async function writeRefs(
  directory: GitDirectory,
  { refs }: CheckedFork,
  hexLength: number,
  makeFolder: (folder: string) => Promise<void>,
): Promise<void> {
  const packed = new Map<string, PackedRefValue>()
  const loose: Ref[] = []
  for (const ref of refs.list('')) {
    const { name, target, peeled } = ref
    if (target.kind === 'symbolic') loose.push(ref)
    else packed.set(name, peeled === undefined ? { id: target.id } : { id: target.id, peeled })
  }
  if (packed.size > 0) {
    const bytes = encodePackedRefs(packed, hexLength)
    await writeNewFile(directory, join(directory.path, 'packed-refs'), bytes)
  }
  for (const { name, target } of loose) {
    const file = join(directory.path, name)
    if (name.includes('/')) await makeFolder(dirname(file))
    await writeNewFile(directory, file, encodeLooseRef(target))
  }
}

/** Links a pack's files, the index last, and what is derived from it; gives the object directory that it came from. */
async function linkPack(
  directory: GitDirectory,
  { objectDirectories }: ForkSource,
  name: string,
): Promise<string | undefined> {
  const objects = join(directory.path, 'objects')
  const from = await linkFirst(
    directory,
    objectDirectories,
    join('pack', `${name}.pack`),
    packPath(objects, name, 'pack'),
  )
  if (from === undefined) return undefined
  await linkOrCopy(directory, packPath(from, name, 'promisor'), packPath(objects, name, 'promisor'))
  if (!(await linkOrCopy(directory, packPath(from, name, 'idx'), packPath(objects, name, 'idx'))))
    return undefined
  const derived = `${name}.reachability`
  await linkFirst(
    directory,
    objectDirectories,
    join('..', 'packstone', derived),
    join(directory.path, 'packstone', derived),
  )
  return from
}

/** Links the file of this name in the first directory that has it; gives that directory. */
async function linkFirst(
  directory: GitDirectory,
  objectDirectories: readonly string[],
  name: string,
  to: string,
): Promise<string | undefined> {
  for (const from of objectDirectories) if (await linkOrCopy(directory, join(from, name), to)) return from
  return undefined
}

/** False when there is no such file. */
async function linkOrCopy(directory: GitDirectory, from: string, to: string): Promise<boolean> {
  try {
    await directory.fs.link(from, to)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    // Another device, a file system without links, too many links, or a file of somebody else's.
    if (!hasErrno(error, 'EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
  }
  return copyFile(directory, from, to)
}

async function copyFile(directory: GitDirectory, from: string, to: string): Promise<boolean> {
  const { fs } = directory
  const source = await openIfThere(fs, from)
  if (source === undefined) return false
  try {
    const target = await fs.open(to, 'wx', 0o600)
    try {
      const buffer = new Uint8Array(COPY_PIECE)
      for (let at = 0; ;) {
        const { bytesRead } = await source.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) break
        for (let done = 0; done < bytesRead;) {
          done += (await target.write(buffer, done, bytesRead - done, at + done)).bytesWritten
        }
        at += bytesRead
      }
      const { atime, mtime } = await source.stat()
      await target.utimes(atime, mtime)
      await finishFile(directory, target, { mode: 0o444 })
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
  return true
}

async function openIfThere(
  fs: FileSystem,
  path: string,
): Promise<Awaited<ReturnType<FileSystem['open']>> | undefined> {
  try {
    return await fs.open(path, constants.O_RDONLY)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** The config of a repository, as bytes and as text. */
export async function readForkConfig(
  fs: FileSystem,
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly text: string }> {
  const bytes = (await readFileIfThere(fs, join(path, 'config'))) ?? new Uint8Array(0)
  return { bytes, text: decodeUtf8(bytes) }
}
