/** What a file is served as: one of few types that no browser runs. */
export type ContentType = 'text' | 'binary' | `image/${string}` | 'application/pdf'

const BY_EXTENSION: Readonly<Record<string, ContentType>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  ico: 'image/x-icon',
  pdf: 'application/pdf',
}

/** How many bytes at its beginning tell by a NUL that a file is no text. */
const SNIFFED_BYTES = 8192

/** Judges a file by its name, and where that says nothing by its bytes: text is UTF-8 without NUL at its beginning. */
export function sniffContentType(path: string, bytes: Uint8Array): ContentType {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  const known = Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined
  if (known !== undefined) return known
  if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return 'binary'
  return isUtf8(bytes) ? 'text' : 'binary'
}

/** The value of a `Content-Type` header. */
export function contentTypeHeader(type: ContentType): string {
  if (type === 'text') return 'text/plain; charset=utf-8'
  return type === 'binary' ? 'application/octet-stream' : type
}

/** The type of a `Blob`: as in a header, but without the space. */
export function blobType(type: ContentType): string {
  return contentTypeHeader(type).replace(' ', '')
}

/** Whether bytes are UTF-8: the decoder has no other way to say so than to throw. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
