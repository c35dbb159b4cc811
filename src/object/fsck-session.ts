import { encodeHex, parseHex } from '../bytes/hex.ts'
import { fsckObject, type FsckFinding, type FsckOptions } from './fsck.ts'
import { fsckSpecialFile, type SpecialFile } from './fsck-special-files.ts'
import type { ObjectFormat } from './object-format.ts'
import type { RawObject } from './object-reader.ts'
import { BLOB, type ObjectType } from './object-type.ts'

/** A special file that some tree names and that has not been checked yet. */
export interface PendingSpecialFile {
  readonly file: SpecialFile
  /** Raw id. */
  readonly id: Uint8Array
}

/**
 * Checks the objects of one pack as they arrive, in any order, and remembers which `.gitmodules` and
 * `.gitattributes` blobs remain to be looked at.
 */
export class FsckSession {
  readonly #format: ObjectFormat
  readonly #options: FsckOptions
  /** For each kind of file: hexadecimal id to whether it was checked. */
  readonly #seen: Readonly<Record<SpecialFile, Map<string, boolean>>> = {
    gitmodules: new Map(),
    gitattributes: new Map(),
  }

  constructor(format: ObjectFormat, options: FsckOptions = {}) {
    this.#format = format
    this.#options = options
  }

  /** Checks one object given with its raw id; a blob already known to be a special file is checked as that. */
  check(type: ObjectType, body: Uint8Array, id: Uint8Array): readonly FsckFinding[] {
    if (type === BLOB) return this.#checkBlob(body, id)
    return fsckObject(type, body, this.#format, this.#options, {
      id,
      onSpecialFile: (file, tree, idAt) => {
        const hex = encodeHex(tree, idAt, idAt + this.#format.idLength)
        if (!this.#seen[file].has(hex)) this.#seen[file].set(hex, false)
      },
    })
  }

  /** The special files that were named but have not been checked: read each and give it to `checkPending`. */
  pending(): readonly PendingSpecialFile[] {
    const pending: PendingSpecialFile[] = []
    for (const file of ['gitmodules', 'gitattributes'] as const) {
      for (const [hex, checked] of this.#seen[file]) if (!checked) pending.push({ file, id: parseHex(hex) })
    }
    return pending
  }

  /** Checks a pending file; `null` when the object is absent from the repository. */
  checkPending(pending: PendingSpecialFile, object: RawObject | null): readonly FsckFinding[] {
    this.#seen[pending.file].set(encodeHex(pending.id), true)
    return fsckSpecialFile(pending.file, pending.id, object, this.#options)
  }

  #checkBlob(body: Uint8Array, id: Uint8Array): readonly FsckFinding[] {
    const { gitmodules, gitattributes } = this.#seen
    if (gitmodules.size === 0 && gitattributes.size === 0) return []
    const hex = encodeHex(id)
    const findings: FsckFinding[] = []
    for (const file of ['gitmodules', 'gitattributes'] as const) {
      if (this.#seen[file].get(hex) === false)
        findings.push(...this.checkPending({ file, id }, { type: BLOB, body }))
    }
    return findings
  }
}
