import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRepo, type FileSystem, type GitContext } from 'just-git'
import { createServer, MemoryStorage } from 'just-git/server'
import { git } from '../../test/support/git.ts'
import { argument, type CreateOperation } from './operation.ts'
import { cloneRequest, drain } from './packstone.ts'

/** The disk, as just-git wants it. */
const DISK: FileSystem = {
  readFile: (path) => readFile(path, 'utf8'),
  readFileBuffer: async (path) => new Uint8Array(await readFile(path)),
  writeFile: (path, content) => writeFile(path, content),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  stat: async (path) => {
    const found = await stat(path)
    const { mode, size, mtime } = found
    const isDirectory = found.isDirectory()
    return { mode, size, mtime, isFile: found.isFile(), isDirectory, isSymbolicLink: false }
  },
  mkdir: async (path, options) => {
    await mkdir(path, options)
  },
  readdir: (path) => readdir(path),
  rm: (path, options) => rm(path, options),
}

async function openRepository(path: string): Promise<GitContext> {
  const repository = await findRepo(DISK, path)
  if (repository === null) throw new Error(`${path} is no repository`)
  return repository
}

/** Takes a pack into an empty repository on disk: verified, and stored with its index. */
export const justGitIngest: CreateOperation = async (args) => {
  const pack = new Uint8Array(await readFile(argument(args, 'pack')))
  const folder = await mkdtemp(join(tmpdir(), 'packstone-bench-peer-'))
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'repository.git')
  await git(['init', '--quiet', '--bare', path])
  return async () => {
    await rm(join(path, 'objects/pack'), { recursive: true, force: true })
    await mkdir(join(path, 'objects/pack'))
    await (await openRepository(path)).objectStore.ingestPack(pack)
    return 0
  }
}

/** Reads objects by id, one after the other, from a repository on disk that is opened anew each time. */
export const justGitRead: CreateOperation = async (args) => {
  const ids = (await readFile(argument(args, 'ids'), 'utf8')).trim().split('\n')
  return async () => {
    const { objectStore } = await openRepository(argument(args, 'repository'))
    let bytes = 0
    for (const id of ids) bytes += (await objectStore.read(id)).content.length
    return bytes
  }
}

/** Answers a clone, from memory: the storage that its server has without a database. */
export const justGitClone: CreateOperation = async (args) => {
  const body = await readFile(argument(args, 'request'))
  const server = createServer({ storage: new MemoryStorage() })
  const repository = await server.createRepo('bench')
  await repository.objectStore.ingestPack(new Uint8Array(await readFile(argument(args, 'pack'))))
  const refs = (await readFile(argument(args, 'refs'), 'utf8')).trim().split('\n')
  for (const line of refs) {
    const [hash = '', name = ''] = line.split(' ')
    await repository.refStore.writeRef(name, { type: 'direct', hash })
  }
  return () => drain(server.fetch(cloneRequest(body)))
}
