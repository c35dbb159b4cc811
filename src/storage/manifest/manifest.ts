import { encodeUtf8 } from '../../bytes/text.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import type { StoredEvent } from '../repository-storage.ts'
import type { FileName } from './object-names.ts'

/** The version of the format that this code writes, and the only one it reads. */
export const MANIFEST_VERSION = 1

/** A pack of a repository. */
export interface ManifestPack {
  readonly name: string
  readonly pack: FileName
  readonly idx: FileName
  readonly packSize: number
  readonly indexSize: number
  /** Milliseconds since the epoch. */
  readonly modified: number
  /** Which of its objects are visible; absent: all. */
  readonly mask?: FileName
  /** As in `PackDescription`. */
  readonly promisor?: true
}

/** A file of refs: see ref-layers.ts. */
export interface RefTableFile {
  readonly file: FileName
  /** Bytes. */
  readonly size: number
}

/**
 * A ref in the manifest itself: its name, its target (an id, `ref: ` and a name, or null for a ref that is not there, whatever the
 * tables say), and what a tag finally names where that is known.
 */
export type InlineRef = readonly [name: string, target: string | null, peeled?: string | null]

/** A file of events, which are in the order of their sequences. */
export interface EventFile {
  readonly file: FileName
  readonly size: number
  readonly last: number
}

/** A file that is listed no more, and when that began, in milliseconds since the epoch. */
export type DroppedFile = readonly [file: FileName, at: number]

/** Everything that is mutable of a repository, as one object that is replaced as a whole. */
export interface Manifest {
  readonly version: typeof MANIFEST_VERSION
  /** The repository's id: a repository that is made under the key of a deleted one has another. */
  readonly id: string
  /** Goes up by one with every replacement. */
  readonly revision: number
  /** Random ids of the last replacements, newest first: who got no answer to his finds out whether it took place. */
  readonly transactions: readonly string[]
  readonly objectFormat: ObjectFormatName
  readonly config: string
  readonly shallow: readonly string[] | RefTableFile
  readonly packs: readonly ManifestPack[]
  readonly refs: {
    /** In byte order of names. They count before the tables. */
    readonly inline: readonly InlineRef[]
    /** Newest first: a newer one counts before older ones. */
    readonly tables: readonly RefTableFile[]
  }
  readonly events: {
    /** The sequence of the last event there was. */
    readonly last: number
    /** Events up to this one were dropped. */
    readonly dropped: number
    /** Older than the inline ones, oldest first. */
    readonly files: readonly EventFile[]
    readonly inline: readonly StoredEvent[]
  }
  /** What was dropped lately: somebody may be reading it. */
  readonly dropped: readonly DroppedFile[]
}

/** A manifest with the etag of the object it was read from. */
export interface StoredManifest {
  readonly manifest: Manifest
  readonly etag: string
  /** Size of the object in bytes. */
  readonly size: number
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeUtf8(JSON.stringify(manifest))
}

/** Every file that a manifest names, without the dropped ones. */
export function* listedFiles(manifest: Manifest): Iterable<FileName> {
  for (const { pack, idx, mask } of manifest.packs) {
    yield pack
    yield idx
    if (mask !== undefined) yield mask
  }
  for (const { file } of manifest.refs.tables) yield file
  for (const { file } of manifest.events.files) yield file
  if (!isInline(manifest.shallow)) yield manifest.shallow.file
}

/** Whether a shallow list is in the manifest itself. */
export function isInline(shallow: Manifest['shallow']): shallow is readonly string[] {
  return Array.isArray(shallow)
}
