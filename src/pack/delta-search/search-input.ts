import type { ChooserColumns } from './base-chooser.ts'
import type { DeltaSearchColumns } from './search-order.ts'

/** Objects to search deltas among: what is known of them, and a way to their bodies. */
export interface DeltaSearchInput extends DeltaSearchColumns, ChooserColumns {
  /** The ordinals that take part, see {@link deltaSearchOrder}. */
  readonly order: Uint32Array
  /** The body of an object, `undefined` when it has to be settled first. */
  tryBody(ordinal: number): Uint8Array | undefined
  settle(): Promise<void>
}

/** The body of an object that is not resident. */
export async function readBody(
  input: DeltaSearchInput,
  ordinal: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  for (;;) {
    signal?.throwIfAborted()
    await input.settle()
    const body = input.tryBody(ordinal)
    if (body !== undefined) return body
  }
}
