/** What became of a push, as the client library tells it. */
export interface ForeignPush {
  /** By ref: `null` where the server took it, else the server's words. */
  readonly refs: Readonly<Record<string, string | null>>
  /** What the server said to people. */
  readonly said: string
}

/**
 * A Git client that shares no code with git: a library in a process of its own, or a command. Repositories it makes have a work tree and
 * a remote `origin`.
 */
export interface ForeignClient {
  /** Which library of which version. */
  version(): Promise<string>
  clone(url: string, path: string, options?: { readonly depth?: number }): Promise<void>
  /** Fetches all branches of `origin`, with tags. Dulwich cannot prune. */
  fetch(path: string, options?: { readonly prune?: boolean; readonly depth?: number }): Promise<void>
  /** Pushes full ref names: `from:to`, `+from:to` to force, `:to` to delete. */
  push(path: string, url: string, refspecs: readonly string[]): Promise<ForeignPush>
  /** What the server lists, peeled tags as `<name>^{}` included. The path is that of a clone of it. */
  listRefs(url: string, path: string): Promise<Readonly<Record<string, string>>>
  close(): Promise<void>
}
