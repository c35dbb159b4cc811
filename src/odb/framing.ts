import type { ByteRange, Spacing, StoredFile } from '../storage/stored-file.ts'

/** How the bytes of a file are wrapped on their way: each `every` of them behind a header of `gap` bytes. */
export interface Framing extends Spacing {
  /** Writes the header of so many bytes to `out[at, at + gap)`. */
  writeHeader(out: Uint8Array, at: number, length: number): void
}

/** Reads a range of a file into whole frames. The bytes are copied nowhere on the way where the storage reads with gaps. */
export async function readFrames(file: StoredFile, range: ByteRange, framing: Framing): Promise<Uint8Array> {
  const { every, gap } = framing
  const bytes = await readSpaced(file, range, framing)
  for (let at = 0; at < bytes.length; at += every + gap)
    framing.writeHeader(bytes, at, Math.min(every, bytes.length - at - gap))
  return bytes
}

async function readSpaced(file: StoredFile, range: ByteRange, spacing: Spacing): Promise<Uint8Array> {
  if (file.readSpaced !== undefined) return file.readSpaced(range, spacing)
  const { every, gap } = spacing
  const [plain] = await file.read([range])
  const bytes = new Uint8Array(range.length + gap * Math.ceil(range.length / every))
  for (let from = 0, at = gap; from < range.length; from += every, at += every + gap)
    bytes.set(plain!.subarray(from, from + every), at)
  return bytes
}

/** The bytes that frames of a piece hold. Chunks belong to the receiver. */
export function* unwrapFrames(
  piece: Uint8Array,
  { every, gap }: Framing,
): Generator<Uint8Array, void, undefined> {
  for (let at = gap; at < piece.length; at += every + gap) yield piece.slice(at, at + every)
}
