const EMPTY = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(0))

/**
 * Keeps the DataView of the array that was asked for last, because making one costs as much as hashing a small object.
 *
 * Callers tend to pass the same large array many times in a row. It is forgotten when the current job of the event loop
 * ends, so that no codec keeps a caller's buffer alive.
 */
export class ViewCache {
  #bytes: Uint8Array | undefined
  #view: DataView = EMPTY

  /** A view of just these bytes: index 0 is `bytes[0]`. */
  viewOf(bytes: Uint8Array): DataView {
    if (bytes === this.#bytes) return this.#view
    if (this.#bytes === undefined)
      queueMicrotask(() => {
        this.#forget()
      })
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return this.#view
  }

  #forget(): void {
    this.#bytes = undefined
    this.#view = EMPTY
  }
}
