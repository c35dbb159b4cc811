/** What is to be done with a repository. `isWarm`: by a process that has it open, else by one that knows nothing. */
export type StorageTask =
  /** Makes the repository where it is new, and puts a pack and refs into it. */
  | {
      readonly kind: 'push'
      readonly key: string
      readonly refs: readonly (readonly [name: string, id: string])[]
      readonly isNew: boolean
      readonly isWarm: boolean
    }
  | { readonly kind: 'clone'; readonly key: string }
  | { readonly kind: 'fetch'; readonly key: string; readonly wants: string; readonly haves: string }
  | { readonly kind: 'read'; readonly key: string; readonly path: string; readonly isWarm: boolean }
  | { readonly kind: 'fork'; readonly key: string; readonly to: string }

/** Bytes in front of a task: how long it is, as text. */
const LENGTH = 4
const PIECE = 1 << 20

/** A task and its pack in one array, for whoever does it elsewhere. */
export function encodeTask(task: StorageTask, pack: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(task))
  const bytes = new Uint8Array(LENGTH + text.length + pack.length)
  new DataView(bytes.buffer).setUint32(0, text.length)
  bytes.set(text, LENGTH)
  bytes.set(pack, LENGTH + text.length)
  return bytes
}

/** What {@link encodeTask} was given. The pack comes in pieces. */
export function parseTask(bytes: Uint8Array): {
  readonly task: StorageTask
  readonly pack: AsyncIterable<Uint8Array>
} {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const text = new TextDecoder().decode(bytes.subarray(LENGTH, LENGTH + length))
  return { task: JSON.parse(text) as StorageTask, pack: piecesOf(bytes.subarray(LENGTH + length)) }
}

/** An array in pieces that belong to who takes them. */
export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield await Promise.resolve(bytes.slice(at, at + PIECE))
}
