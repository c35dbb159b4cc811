import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import { GitError } from '../../../src/errors.ts'
import type { Bucket } from '../../../src/storage/manifest/bucket.ts'
import {
  createBucketStorage,
  type BucketStorage,
  type BucketStorageOptions,
} from '../../../src/storage/manifest/manifest-storage.ts'
import type { NewPack, RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { StagedFile } from '../../../src/storage/stored-file.ts'

export const CREATE = { objectFormat: 'sha1', head: 'refs/heads/main' } as const

/** Retries that take no time. */
export const QUICK = { attempts: 6, firstWait: 1, longestWait: 2 } as const

export function openStorage(bucket: Bucket, options: BucketStorageOptions = {}): BucketStorage {
  return createBucketStorage(bucket, { retries: QUICK, ...options, probe: options.probe ?? false })
}

/** The number as an object id. */
export function idOf(number: number): string {
  return (number + 1).toString(16).padStart(40, '0')
}

/** Sets a ref to a number; from another number, where one is given. */
export function set(name: string, number: number, from?: number): RefEdit {
  return {
    name,
    expect: from === undefined ? { kind: 'any' } : { kind: 'id', id: idOf(from) },
    target: { kind: 'direct', id: idOf(number) },
  }
}

/** The number that a ref holds. */
export async function numberIn(repository: RepositoryStorage, name: string): Promise<number | undefined> {
  const [ref] = await repository.readRefs([name])
  return ref?.target.kind === 'direct' ? Number.parseInt(ref.target.id, 16) - 1 : undefined
}

export async function stage(
  repository: RepositoryStorage,
  kind: 'pack' | 'idx',
  bytes: Uint8Array,
): Promise<StagedFile> {
  const writer = await repository.createFile(kind)
  await writer.write(bytes)
  return writer.finish()
}

/** Stages a pack of that many bytes, and an index of ten. */
export async function stagePack(
  repository: RepositoryStorage,
  digit: string,
  size: number,
): Promise<NewPack> {
  const pack = await stage(repository, 'pack', new Uint8Array(size).fill(1))
  return { name: `pack-${digit.repeat(40)}`, pack, index: await stage(repository, 'idx', new Uint8Array(10)) }
}

/** What an adapter throws when the store did not answer. */
export function noAnswer(): GitError {
  return new GitError('UNAVAILABLE', 'no answer')
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
