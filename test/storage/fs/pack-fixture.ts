import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NewPack, PackFileKind, RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { StagedFile } from '../../../src/storage/stored-file.ts'
import { git } from '../../support/git.ts'
import { temporaryDirectory } from './fixture.ts'

/** A pack and its index, made by git. */
export interface PackFixture {
  readonly name: string
  readonly pack: Uint8Array
  readonly index: Uint8Array
}

/** Packs everything that the tips reach. */
export async function packObjects(repository: string, tips: readonly string[]): Promise<PackFixture> {
  const folder = await temporaryDirectory()
  const args = ['pack-objects', '--revs', '-q', join(folder, 'pack')]
  const checksum = await git(args, { cwd: repository, input: tips.map((tip) => `${tip}\n`).join('') })
  const name = `pack-${checksum}`
  return {
    name,
    pack: await readFile(join(folder, `${name}.pack`)),
    index: await readFile(join(folder, `${name}.idx`)),
  }
}

/** Writes the pack's files into a repository, visible to nobody yet. */
export async function stagePack(
  repository: RepositoryStorage,
  { name, pack, index }: PackFixture,
): Promise<NewPack> {
  return {
    name,
    pack: await stageFile(repository, 'pack', pack),
    index: await stageFile(repository, 'idx', index),
  }
}

export async function stageFile(
  repository: RepositoryStorage,
  kind: PackFileKind,
  bytes: Uint8Array,
): Promise<StagedFile> {
  const writer = await repository.createFile(kind)
  await writer.write(bytes)
  return writer.finish()
}
