import { encodeUtf8 } from '../bytes/text.ts'
import { parseHex } from '../bytes/hex.ts'
import { isGitError } from '../errors.ts'
import { createHiddenRefs } from '../protocol/hidden-refs.ts'
import type { UploadPackOptions } from '../protocol/service-options.ts'
import type { Repository } from '../repository/repository.ts'
import type { PackDescription, PackFileKind } from '../storage/repository-storage.ts'
import type { StoredFile } from '../storage/stored-file.ts'

/** A file of a repository that a client without smart HTTP reads (gitprotocol-http, "Dumb Clients"). */
export type RepositoryFile =
  | { readonly kind: 'head' | 'refs' | 'packs' }
  | { readonly kind: 'loose'; readonly id: string }
  | { readonly kind: 'pack'; readonly name: string; readonly file: PackFileKind }

/** What is answered for a file. */
export interface FileAnswer {
  readonly type: string
  /** Whether the name stands for these bytes for ever. */
  readonly isImmutable: boolean
  readonly size: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

/** See {@link openRepositoryFile}. */
export type OpenRepositoryFile = (
  repository: Repository,
  file: RepositoryFile,
  options: UploadPackOptions,
) => Promise<FileAnswer | undefined>

/** What is read of a stored file at a time. */
const PIECE = 1 << 20

const LOOSE = /^[0-9a-f]{2}\/(?:[0-9a-f]{38}|[0-9a-f]{62})$/
const PACK = /^pack\/(pack-(?:[0-9a-f]{40}|[0-9a-f]{64}))\.(pack|idx)$/

/** Reads the name of a file within a repository; `undefined` for any other file: its config, its hooks and its logs are not told. */
export function parseRepositoryFile(name: string): RepositoryFile | undefined {
  if (name === 'HEAD') return { kind: 'head' }
  if (name === 'info/refs') return { kind: 'refs' }
  if (name === 'objects/info/packs') return { kind: 'packs' }
  if (!name.startsWith('objects/')) return undefined
  const object = name.slice('objects/'.length)
  if (LOOSE.test(object)) return { kind: 'loose', id: object.replace('/', '') }
  const [, pack, file] = PACK.exec(object) ?? []
  return pack === undefined ? undefined : { kind: 'pack', name: pack, file: file === 'idx' ? 'idx' : 'pack' }
}

/** Opens a file for a dumb client; `undefined` when there is none. The names of refs and packs are listed anew every time. */
export async function openRepositoryFile(
  repository: Repository,
  file: RepositoryFile,
  options: UploadPackOptions,
): Promise<FileAnswer | undefined> {
  switch (file.kind) {
    case 'head': {
      const head = await repository.readHead()
      return head && textAnswer(head.kind === 'symbolic' ? `ref: ${head.target}\n` : `${head.id}\n`)
    }
    case 'refs':
      return textAnswer(await listRefs(repository, options))
    case 'packs': {
      const packs = await listWholePacks(repository)
      return textAnswer([...packs.map(({ name }) => `P ${name}.pack\n`), '\n'].join(''))
    }
    case 'loose': {
      if (file.id.length !== repository.format.hexLength) return undefined
      const bytes = await repository.storage.loose?.read(parseHex(file.id))
      const type = 'application/x-git-loose-object'
      return bytes && { type, isImmutable: true, size: bytes.length, bytes: once(bytes) }
    }
    case 'pack': {
      const stored = await openPackFile(repository, file.name, file.file)
      const type = `application/x-git-packed-objects${file.file === 'idx' ? '-toc' : ''}`
      return stored && { type, isImmutable: true, size: stored.size, bytes: readInPieces(stored) }
    }
  }
}

async function listRefs(repository: Repository, options: UploadPackOptions): Promise<string> {
  const isHidden = createHiddenRefs(options.hiddenRefs)
  const view = await repository.openView()
  try {
    const refs = await repository.listAdvertisedRefs(view)
    return refs
      .filter(({ name }) => name !== 'HEAD' && !isHidden(name))
      .map(
        ({ name, id, peeled }) => `${id}\t${name}\n${peeled === undefined ? '' : `${peeled}\t${name}^{}\n`}`,
      )
      .join('')
  } finally {
    await view.close()
  }
}

function textAnswer(text: string): FileAnswer {
  const bytes = encodeUtf8(text)
  return { type: 'text/plain; charset=utf-8', isImmutable: false, size: bytes.length, bytes: once(bytes) }
}

/** The packs whose files may be shown: some objects in a partial one are not this repository's. */
async function listWholePacks({ storage }: Repository): Promise<readonly PackDescription[]> {
  const packs = await storage.listPacks()
  return packs.filter(({ partial }) => partial !== true)
}

/** The file of a listed pack: names that strangers make up never reach the storage. */
async function openPackFile(
  repository: Repository,
  name: string,
  kind: PackFileKind,
): Promise<StoredFile | undefined> {
  const packs = await listWholePacks(repository)
  if (!packs.some((pack) => pack.name === name)) return undefined
  try {
    return await repository.storage.openPackFile(name, kind)
  } catch (error) {
    if (isGitError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

async function* readInPieces(file: StoredFile): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let offset = 0; offset < file.size; offset += PIECE) {
      yield* await file.read([{ offset, length: Math.min(PIECE, file.size - offset) }])
    }
  } finally {
    await file.close()
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece has nothing to wait for
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes
}
