import type { ByteRange, StoredFile } from '../storage/stored-file.ts'
import type { Framing } from './framing.ts'

/** The bytes of a pack, read synchronously as far as they are resident. */
export interface PackData {
  readonly size: number
  /** Where the bytes of the last successful {@link tryWindow} are. Only valid until the next call. */
  readonly window: Uint8Array
  /** Index in {@link window} of the offset that was asked for. */
  readonly windowAt: number
  /**
   * Makes `[offset, offset + length)`, cut at the end of the file, readable through {@link window}.
   *
   * @returns false when it is not resident: it is then noted for `settle`.
   */
  tryWindow(offset: number, length: number): boolean
  /** Whether something was noted and awaits `settle`. */
  readonly wanting: boolean
  /**
   * Makes what was noted resident.
   *
   * @throws GitError `NOT_FOUND` when the file is gone, `STORAGE`
   */
  settle(): Promise<void>
  /** The open file, for streaming reads. Belongs to this object. */
  file(): Promise<StoredFile>
  /** Reads a range wrapped in frames. The result may be shared with others who ask for the same: never write to it. */
  readFramed(range: ByteRange, framing: Framing): Promise<Uint8Array>
  /** Closes the file and forgets what is resident. */
  close(): Promise<void>
}
