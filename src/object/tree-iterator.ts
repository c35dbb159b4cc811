import { GitError } from '../errors.ts'

const SPACE = 0x20
const EMPTY = /* @__PURE__ */ new Uint8Array(0)

/**
 * Steps through the entries of a tree body without allocating. One cursor serves any number of trees, one at a time.
 *
 * A tree body is a sequence of `<octal mode> SP <name> NUL <raw id>`. The fields describe the current entry, and are
 * meaningless before the first `next()` and after the last.
 */
export class TreeCursor {
  /** The tree being read; ranges below are offsets into it. */
  body: Uint8Array = EMPTY
  /** The entry's mode, modulo 2^32. See file-mode.ts for what it says. */
  mode = 0
  /** Offset of the entry itself, where its mode is written. */
  entryStart = 0
  nameStart = 0
  /** Offset after the name: its terminating NUL. */
  nameEnd = 0
  /** Offset of the raw id, `idLength` bytes long. */
  idAt = 0

  readonly #idLength: number
  #at = 0

  constructor(idLength: number, body: Uint8Array = EMPTY) {
    this.#idLength = idLength
    this.body = body
  }

  /** Begins another tree. The cursor holds on to the body until the next call. */
  reset(body: Uint8Array): void {
    this.body = body
    this.#at = 0
  }

  /**
   * Moves to the next entry; false at the end.
   *
   * @throws GitError `CORRUPT_OBJECT` when the bytes are not a tree entry.
   */
  next(): boolean {
    const body = this.body
    const length = body.length
    let at = this.#at
    if (at >= length) return false
    this.entryStart = at

    let mode = 0
    let byte = body[at]!
    if (byte === SPACE) throw malformedTree('an entry has no mode', at)
    while (byte !== SPACE) {
      if (byte < 0x30 || byte > 0x37) throw malformedTree('a mode is not octal', at)
      mode = (mode << 3) | (byte - 0x30)
      at++
      if (at >= length) throw malformedTree('an entry ends within its mode', at)
      byte = body[at]!
    }
    const nameStart = ++at
    while (at < length && body[at] !== 0) at++
    if (at === nameStart && at < length) throw malformedTree('an entry has an empty name', at)
    const idAt = at + 1
    const end = idAt + this.#idLength
    if (end > length) throw malformedTree('the last entry is cut short', this.entryStart)

    this.mode = mode >>> 0
    this.nameStart = nameStart
    this.nameEnd = at
    this.idAt = idAt
    this.#at = end
    return true
  }
}

function malformedTree(what: string, offset: number): GitError {
  return new GitError('CORRUPT_OBJECT', `malformed tree: ${what} (byte ${offset})`, {
    details: { type: 'tree', offset },
  })
}
