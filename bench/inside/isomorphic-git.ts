import * as fs from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import isomorphicGit from 'isomorphic-git'
import { argument, type CreateOperation } from './operation.ts'

/** `indexPack` of a copy of the pack, with an empty cache. It writes the index beside it. */
export const isomorphicIndexPack: CreateOperation = async (args) => {
  const dir = await mkdtemp(join(tmpdir(), 'packstone-bench-peer-'))
  const gitdir = join(dir, '.git')
  await mkdir(join(gitdir, 'objects/pack'), { recursive: true })
  const filepath = '.git/objects/pack/pack.pack'
  await copyFile(argument(args, 'pack'), join(dir, filepath))
  process.on('exit', () => {
    fs.rmSync(dir, { recursive: true, force: true })
  })
  return async () => {
    const index = join(gitdir, 'objects/pack/pack.idx')
    await rm(index, { force: true })
    await isomorphicGit.indexPack({ fs, dir, gitdir, filepath, cache: {} })
    return fs.statSync(index).size
  }
}

/** `readObject` for one id after the other, with a cache that is empty at first. */
export const isomorphicRead: CreateOperation = async (args) => {
  const ids = (await readFile(argument(args, 'ids'), 'utf8')).trim().split('\n')
  const gitdir = argument(args, 'repository')
  return async () => {
    const cache = {}
    let bytes = 0
    for (const oid of ids) {
      // Deprecated in favour of one function per type; which type an id has is not known here.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      const { object } = await isomorphicGit.readObject({ fs, gitdir, oid, format: 'content', cache })
      bytes += (object as Uint8Array).length
    }
    return bytes
  }
}

/** `packObjects` of given ids, with an empty cache. */
export const isomorphicPackObjects: CreateOperation = async (args) => {
  const oids = (await readFile(argument(args, 'ids'), 'utf8')).trim().split('\n')
  const gitdir = argument(args, 'repository')
  return async () => {
    const { packfile } = await isomorphicGit.packObjects({ fs, gitdir, oids, cache: {} })
    if (packfile === undefined) throw new Error('there is no pack')
    return packfile.length
  }
}
