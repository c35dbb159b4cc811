/** Copies an array into memory that threads can share; one that is there already is returned as it is. */
export function sharedCopy<Column extends Float64Array | Int32Array | Uint32Array | Uint8Array>(
  array: Column,
): Column
export function sharedCopy(
  array: Float64Array | Int32Array | Uint32Array | Uint8Array,
): Float64Array | Int32Array | Uint32Array | Uint8Array {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const memory = new SharedArrayBuffer(array.byteLength)
  new Uint8Array(memory).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  if (array instanceof Float64Array) return new Float64Array(memory)
  if (array instanceof Int32Array) return new Int32Array(memory)
  if (array instanceof Uint32Array) return new Uint32Array(memory)
  return new Uint8Array(memory)
}
