import { join, resolve } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../bytes/text.ts'
import { parseGitConfig } from '../../config/git-config.ts'
import { GitError } from '../../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import { assertEventLimit } from '../event-texts.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import { CachedFile } from './cached-file.ts'
import { readDerivedFile, writeDerivedFile } from './derived-files.ts'
import { isAbsent, storing } from './errno.ts'
import { localFileSystem, type FileSystem } from './file-system.ts'
import { commitToDirectory } from './fs-commit.ts'
import { FsStoredFile } from './fs-stored-file.ts'
import { readFileIfThere, type GitDirectory } from './git-directory.ts'
import { isGitDirectory } from './git-directory-check.ts'
import { acquireLock, lockedError } from './lock-file.ts'
import { createLooseObjects } from './loose-object-files.ts'
import { whileDropsWait } from './maintenance/drop-lock.ts'
import { createFsMaintenance } from './maintenance/fs-maintenance.ts'
import { listObjectDirectories } from './object-directories.ts'
import { dropFromOutbox, readOutbox } from './outbox.ts'
import {
  freshenPackFiles,
  isPackName,
  listPackDescriptions,
  listPackNames,
  openPackPath,
} from './pack-directory.ts'
import { readPackMaskFile } from './pack-masks.ts'
import { RefReader } from './ref-reader.ts'
import { parseRepositoryFormat } from './repository-format.ts'
import { parseRepositorySettings, type RepositorySettings } from './repository-settings.ts'
import { readShallowFile } from './shallow-file.ts'
import { createStagedFile } from './staged-file.ts'
import { Turns } from './turns.ts'
import { WatchedValue } from './watched-value.ts'

/** How this adapter treats the disk. */
export interface FsOptions {
  /**
   * Flush files and directories to the device before a write counts as done. Default true; without it a crash of the
   * machine, not of the process, can lose what was acknowledged.
   */
  readonly durable?: boolean
  /** The file system to work on; the machine's own when not given. */
  readonly fileSystem?: FileSystem
}

/**
 * Opens a bare repository, or the `.git` directory of one with a work tree, in the layout that git itself reads and
 * writes, also while it does so.
 *
 * @param path of the directory that has `HEAD`, `objects` and `refs`.
 * @returns undefined when there is no repository at the path.
 * @throws GitError `UNSUPPORTED` for a repository that uses a format or an extension that we do not know.
 */
export function openBareRepository(
  path: string,
  options: FsOptions = {},
): Promise<RepositoryStorage | undefined> {
  return openWithTurns(path, options, new Turns())
}

/** {@link openBareRepository} for one of several that take turns where they open the same repository. */
export function openWithTurns(
  path: string,
  options: FsOptions,
  turns: Turns,
): Promise<RepositoryStorage | undefined> {
  const fs = options.fileSystem ?? localFileSystem
  const durable = options.durable ?? true
  const directory = resolve(path)
  const location = `fs:${directory}`
  return storing(location, async () => {
    if (!(await isGitDirectory(fs, directory))) return undefined
    const config = await readFileIfThere(fs, join(directory, 'config'))
    const text = decodeUtf8(config ?? new Uint8Array(0))
    const objectFormat = parseRepositoryFormat(parseGitConfig(text), location)
    return createBareRepository({ fs, path: directory, location, objectFormat, durable, turns })
  })
}

interface RepositoryParts {
  readonly fs: FileSystem
  readonly path: string
  readonly location: string
  readonly objectFormat: ObjectFormatName
  readonly durable: boolean
  readonly turns: Turns
}

function createBareRepository(parts: RepositoryParts): RepositoryStorage {
  const { fs, path, location, objectFormat, durable, turns } = parts
  const hexLength = hexLengthOf(objectFormat)
  const reader = new RefReader({ fs, path, hexLength })
  const config = new CachedFile<RepositorySettings>(fs, join(path, 'config'), (bytes) =>
    parseRepositorySettings(decodeUtf8(bytes), path),
  )
  const files = new Set<FsStoredFile>()
  const noteOpen = (file: FsStoredFile): void => void files.add(file)
  const noteClosed = (file: FsStoredFile): void => void files.delete(file)
  let open = true

  const settings = new WatchedValue(fs, (watching) => config.through(watching).read())
  const directory = async (): Promise<GitDirectory> => {
    const { shared } = await settings.read()
    return { fs, path, durable, shared }
  }
  const directories = new WatchedValue(fs, (watching) =>
    listObjectDirectories(watching, join(path, 'objects')),
  )
  const objectDirectories = (): Promise<string[]> => directories.read()
  const run = <T>(work: () => Promise<T>): Promise<T> => {
    if (open) return storing(location, work)
    return Promise.reject(new GitError('INVALID_ARGUMENT', `${location} was closed; open it again`))
  }
  const packs = new WatchedValue(fs, async (watching) =>
    listPackDescriptions(watching, await listObjectDirectories(watching, join(path, 'objects'))),
  )
  const head = new WatchedValue(fs, (watching) => reader.through(watching).read('HEAD'))
  const allRefs = new WatchedValue(fs, (watching) => reader.through(watching).list('refs/', directory))
  const configText = new WatchedValue(fs, async (watching) =>
    decodeUtf8((await readFileIfThere(watching, config.path)) ?? new Uint8Array(0)),
  )
  const shallow = new WatchedValue(fs, (watching) => readShallowFile(watching, path, hexLength))
  const loose = createLooseObjects({ fs, path, hexLength, objectDirectories, directory })

  return {
    location,
    objectFormat,

    listPacks: () => run(() => packs.read()),

    openPackFile: (name, kind) =>
      run(async () => {
        const found = await openPackPath(fs, await objectDirectories(), name, kind)
        const stored: FsStoredFile = new FsStoredFile(found.file, {
          path: found.path,
          size: found.size,
          onClose: () => {
            noteClosed(stored)
          },
        })
        noteOpen(stored)
        return stored
      }),

    createFile: (kind) => run(async () => createStagedFile(await directory(), kind, noteOpen, noteClosed)),

    readPackMask: (name) =>
      run(async () => readPackMaskFile(fs, isPackName(name) ? await objectDirectories() : [], name)),

    freshenPacks: (names) =>
      run(async () => {
        const directories = await objectDirectories()
        await whileDropsWait(await directory(), () => freshenPackFiles(fs, directories, names))
      }),

    readDerived: (pack, kind) => run(async () => readDerivedFile(fs, await objectDirectories(), pack, kind)),

    writeDerived: (pack, kind, bytes) =>
      run(async () => {
        const names = await listPackNames(fs, await objectDirectories())
        await writeDerivedFile(await directory(), names, pack, kind, bytes)
      }),

    readRefs: (names) =>
      run(async () =>
        names.length === 1 && names[0] === 'HEAD' ? [await head.read()] : reader.readAll(names, directory),
      ),

    listRefs: (prefix) => run(() => (prefix === 'refs/' ? allRefs.read() : reader.list(prefix, directory))),

    commit: (step) =>
      run(async () => {
        const place = {
          directory: await directory(),
          settings: await settings.read(),
          reader,
          objectFormat,
          turns,
        }
        return commitToDirectory(place, step)
      }),

    readEvents: (limit) =>
      run(async () => {
        assertEventLimit(limit)
        return readOutbox({ reader, directory }, limit)
      }),

    dropEvents: (through) => run(async () => dropFromOutbox(await directory(), through)),

    readConfig: () => run(() => configText.read()),

    writeConfig: (text) =>
      run(async () => {
        const format = parseRepositoryFormat(parseGitConfig(text), location)
        parseRepositorySettings(text, path)
        if (format !== objectFormat) {
          throw new GitError(
            'INVALID_ARGUMENT',
            `the config would turn ${location} from ${objectFormat} to ${format}; a repository keeps its object format`,
          )
        }
        await replaceConfig(await directory(), config.path, text)
      }),

    readShallow: () => run(() => shallow.read()),

    loose: {
      has: (id) => run(() => loose.has(id)),
      read: (id) => run(() => loose.read(id)),
      hasMany: (ids) => run(() => loose.hasMany(ids)),
      list: () => run(() => loose.list()),
      write: (id, compressed) => run(() => loose.write(id, compressed)),
    },

    maintenance: createFsMaintenance({ reader, turns, directory, run }),

    async close() {
      open = false
      await Promise.all([...files].map((file) => file.close()))
      config.clear()
      reader.packed.clear()
      for (const watched of [packs, head, allRefs, configText, shallow, settings, directories])
        watched.clear()
    },
  }
}

/** Replaces the config under git's lock, with the permissions it had. */
async function replaceConfig(directory: GitDirectory, path: string, text: string): Promise<void> {
  const lock = await acquireLock(directory, path, { timeout: 1000 })
  if (lock === undefined) throw lockedError(path)
  try {
    await lock.write(encodeUtf8(text))
    const mode = await modeOf(directory.fs, path)
    if (mode !== undefined) await directory.fs.chmod(`${path}.lock`, mode)
    await lock.commit()
  } finally {
    await lock.release()
  }
}

async function modeOf(fs: FileSystem, path: string): Promise<number | undefined> {
  try {
    return (await fs.stat(path)).mode & 0o7777
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
