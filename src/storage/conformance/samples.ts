import type { RefEdit, RefExpectation, RefOutcome } from '../../refs/ref-edit.ts'
import type { Ref, RefTarget } from '../../refs/ref.ts'
import type { NewPack, PackFileKind, RepositoryStorage } from '../repository-storage.ts'
import type { StagedFile, StoredFile } from '../stored-file.ts'
import { assertEqual } from './assertions.ts'

/** Bytes without pattern, the same for the same seed. */
export function sampleBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2654435761) | 1
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** The `number`-th object id; none of them exists as an object. */
export function sampleId(number: number, hexLength = 40): string {
  return (number + 1).toString(16).padStart(8, '0').padEnd(hexLength, 'a5')
}

export function samplePackName(number: number): string {
  return `pack-${sampleId(number)}`
}

/** Writes a file in chunks of one size. */
export async function stageFile(
  repository: RepositoryStorage,
  kind: PackFileKind,
  bytes: Uint8Array,
  chunkSize = 1 << 16,
): Promise<StagedFile> {
  const writer = await repository.createFile(kind)
  for (let at = 0; at < bytes.length; at += chunkSize) await writer.write(bytes.slice(at, at + chunkSize))
  return writer.finish()
}

export interface SamplePack extends NewPack {
  readonly packBytes: Uint8Array
  readonly indexBytes: Uint8Array
}

/** Stages a pack of arbitrary bytes. The name depends on `number` alone, the bytes on both. */
export async function stagePack(
  repository: RepositoryStorage,
  number: number,
  variant = 0,
): Promise<SamplePack> {
  const packBytes = sampleBytes(300 + number + 50 * variant, 2 * number + 1000 * variant)
  const indexBytes = sampleBytes(200 + number + 50 * variant, 2 * number + 1 + 1000 * variant)
  const [pack, index] = await Promise.all([
    stageFile(repository, 'pack', packBytes),
    stageFile(repository, 'idx', indexBytes),
  ])
  return { name: samplePackName(number), pack, index, packBytes, indexBytes }
}

/** Reads a file from its beginning to its end. */
export async function readWhole(file: StoredFile): Promise<Uint8Array> {
  const [bytes] = await file.read([{ offset: 0, length: file.size }])
  return bytes ?? new Uint8Array(0)
}

/** Opens a file of a pack, reads all of it and closes it. */
export async function readPackFile(
  repository: RepositoryStorage,
  name: string,
  kind: PackFileKind,
): Promise<Uint8Array> {
  const file = await repository.openPackFile(name, kind)
  const bytes = await readWhole(file)
  await file.close()
  return bytes
}

/** The names of all packs, sorted. */
export async function listPackNames(repository: RepositoryStorage): Promise<string[]> {
  const packs = await repository.listPacks()
  return packs.map((pack) => pack.name).sort()
}

export function direct(number: number): RefTarget {
  return { kind: 'direct', id: sampleId(number) }
}

export function symbolic(target: string): RefTarget {
  return { kind: 'symbolic', target }
}

/** An edit, by default one that does not ask what was there. */
export function edit(
  name: string,
  target: RefTarget | null,
  expect: RefExpectation = { kind: 'any' },
): RefEdit {
  return { name, expect, target }
}

/** Commits edits that must all be applied. */
export async function applyEdits(
  repository: RepositoryStorage,
  edits: readonly RefEdit[],
  options: { readonly atomic?: boolean } = {},
): Promise<void> {
  const result = await repository.commit({ refs: edits, ...options })
  const refused = result.refs.filter((outcome) => outcome.kind === 'rejected')
  assertEqual(refused, [], 'edits that were rejected')
  assertEqual(result.refs.length, edits.length, 'number of outcomes')
}

/** The stored target of one ref; `null` where there is none. */
export async function readTarget(repository: RepositoryStorage, name: string): Promise<RefTarget | null> {
  const [ref] = await repository.readRefs([name])
  if (ref !== undefined) assertEqual(ref.name, name, 'name of the ref that was read')
  return ref?.target ?? null
}

/** Refs without what stores may add to them. */
export function nameAndTarget(refs: readonly Ref[]): { readonly name: string; readonly target: RefTarget }[] {
  return refs.map(({ name, target }) => ({ name, target }))
}

/** One word for an outcome: `applied`, or the reason why not. */
export function verdict(outcome: RefOutcome | undefined): string {
  if (outcome === undefined) return 'no outcome'
  return outcome.kind === 'applied' ? 'applied' : outcome.rejection.reason
}
