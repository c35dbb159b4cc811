import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectTypeName } from '../../src/object/object-type.ts'
import { git, gitBytes } from '../support/git.ts'

/** A pack and its index as git makes them. */
export interface GitPack {
  readonly name: string
  readonly pack: Uint8Array
  readonly index: Uint8Array
}

/** Packs what the revisions name: `--all` by default. Arguments go to `git pack-objects`. */
export async function packRevisions(
  repository: string,
  folder: string,
  args: readonly string[] = [],
  revisions: readonly string[] = ['--all'],
): Promise<GitPack> {
  const packing = ['pack-objects', '--revs', '-q', ...args, ...flags(revisions), join(folder, 'pack')]
  const name = await git(packing, { cwd: repository, input: lines(revisions) })
  return readPack(join(folder, `pack-${name}`))
}

/** A pack as `git pack-objects --stdout` streams it: with `--thin` one that needs other objects. */
export function streamRevisions(
  repository: string,
  args: readonly string[],
  revisions: readonly string[],
): Promise<Uint8Array> {
  const packing = ['pack-objects', '--revs', '-q', '--stdout', ...args, ...flags(revisions)]
  return gitBytes(packing, { cwd: repository, input: lines(revisions) })
}

/** `--all` and the like are options of `git pack-objects`; everything else it reads from standard input. */
function flags(revisions: readonly string[]): string[] {
  return revisions.filter((revision) => revision.startsWith('--'))
}

function lines(revisions: readonly string[]): string {
  const named = revisions.filter((revision) => !revision.startsWith('--'))
  return named.map((revision) => `${revision}\n`).join('')
}

/** Reads a pack and its index by their path without extension. */
export async function readPack(path: string): Promise<GitPack> {
  const [pack, index] = await Promise.all([readFile(`${path}.pack`), readFile(`${path}.idx`)])
  return { name: path.slice(path.lastIndexOf('/') + 1), pack: plain(pack), index: plain(index) }
}

/** Bytes that are no Buffer, so that tests compare them with what the engine makes. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export interface GitObject {
  readonly type: ObjectTypeName
  readonly body: Uint8Array
}

/** All objects of a repository, by id, as `git cat-file` reads them. */
export async function readAllObjects(repository: string): Promise<Map<string, GitObject>> {
  const args = ['cat-file', '--batch', '--batch-all-objects', '--unordered']
  const bytes = await gitBytes(args, { cwd: repository })
  const objects = new Map<string, GitObject>()
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf(10, at)
    const [id = '', type, size] = bytes.toString('latin1', at, lineEnd).split(' ')
    const end = lineEnd + 1 + Number(size)
    objects.set(id, { type: type as ObjectTypeName, body: plain(bytes.subarray(lineEnd + 1, end)) })
    at = end + 1
  }
  return objects
}

/** A line of `git show-index` or `git verify-pack -v`: where an object is. */
export interface IndexLine {
  readonly id: string
  readonly offset: number
  readonly crc: number | undefined
}

/** What `git show-index` reads from an index, in id order. */
export async function showIndex(index: Uint8Array): Promise<IndexLine[]> {
  const text = await git(['show-index'], { input: index })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [offset, id = '', crc] = line.split(' ')
      return {
        id,
        offset: Number(offset),
        crc: crc === undefined ? undefined : parseInt(crc.slice(1, 9), 16),
      }
    })
}
