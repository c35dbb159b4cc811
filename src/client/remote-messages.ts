import { GitError } from '../errors.ts'

/** How much of what the remote said is kept for an error, in characters. */
const KEPT = 4000

/** What the remote says to people: handed on as it comes, and its end kept for an error that may follow. */
export class RemoteMessages {
  readonly #listener: ((text: string) => void) | undefined
  readonly #decoder = new TextDecoder()
  #kept = ''

  constructor(listener: ((text: string) => void) | undefined) {
    this.#listener = listener
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    return this.#listener !== undefined
  }

  /** Takes a piece of band 2; a piece may end within a character. */
  take(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return
    this.#kept = (this.#kept + text).slice(-KEPT)
    this.#listener?.(text)
  }

  /** Adds what the remote has said to an error. */
  explain(error: GitError): GitError {
    const lines = remoteLines(this.#kept)
    if (lines === '' || error.message.includes(lines)) return error
    return new GitError(error.code, `${error.message}\n${lines}`, { details: error.details, cause: error })
  }
}

/** The last lines of a remote's text, each marked as such; progress that was overwritten and control characters are left out. */
export function remoteLines(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      (line.split('\r').findLast((part) => part.trim() !== '') ?? '').replace(/\p{Cc}+/gu, ' ').trimEnd(),
    )
    .filter((line) => line !== '')
    .slice(-20)
    .map((line) => `remote: ${line.slice(0, 500)}`)
    .join('\n')
}
