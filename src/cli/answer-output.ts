import { writeOut } from './output.ts'

/** Small pieces are written together, so many bytes at a time; larger ones alone. */
const BUFFER = 1 << 18
const LARGE = 1 << 16
const NEWLINE = 10

/** Writes many small answers to standard output in few pieces. */
export class AnswerOutput {
  #buffer = Buffer.allocUnsafe(BUFFER)
  #filled = 0

  /** Adds bytes. The promise, where there is one, has to be awaited before more is added. */
  add(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length >= LARGE) return this.#writeAlone(bytes)
    if (this.#filled + bytes.length > BUFFER) return this.flush().then(() => this.add(bytes))
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
    return undefined
  }

  /** Adds a line of ASCII, ended, and behind it a body with an end of line of its own, if there is one. */
  addObject(head: string, body: Uint8Array | undefined): Promise<void> | undefined {
    const size = body === undefined ? 0 : body.length + 1
    if (size >= LARGE || this.#filled + head.length + size > BUFFER) return this.#addInTurns(head, body)
    this.#filled += this.#buffer.write(head, this.#filled, 'latin1')
    if (body === undefined) return undefined
    this.#buffer.set(body, this.#filled)
    this.#filled += body.length
    this.#buffer[this.#filled++] = NEWLINE
    return undefined
  }

  async #addInTurns(head: string, body: Uint8Array | undefined): Promise<void> {
    await this.add(Buffer.from(head, 'latin1'))
    if (body === undefined) return
    await this.add(body)
    await this.add(Uint8Array.of(NEWLINE))
  }

  async #writeAlone(bytes: Uint8Array): Promise<void> {
    await this.flush()
    await writeOut(bytes)
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return
    const piece = this.#buffer.subarray(0, this.#filled)
    // Whoever writes may still hold the piece.
    this.#buffer = Buffer.allocUnsafe(BUFFER)
    this.#filled = 0
    await writeOut(piece)
  }
}
