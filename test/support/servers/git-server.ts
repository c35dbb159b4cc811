/** A Git server under test, listening on this machine, serving every bare repository under one folder. */
export interface GitServer {
  readonly name: string
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  /** What the server has logged so far. */
  readLog(): string
  /** Stops it. Rejects when it did not stop cleanly. */
  close(): Promise<void>
}
