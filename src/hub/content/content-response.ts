import { createResponseBody } from '../../http/response-body.ts'
import type { HubContext } from '../hub-context.ts'
import { resultResponse } from '../rest/envelope.ts'
import { tooLarge, type BlobContent } from './read-objects.ts'

/** For what a hash names: it never changes, but it is only for who may read the repository. */
const IMMUTABLE = 'private, max-age=31536000, immutable'
/** For what a ref names: it may be kept, and has to be asked about. */
const REVALIDATED = 'private, no-cache'

/** Keeps browsers from running what a repository holds. */
const BROWSER_SAFE: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
}

/** How an answer may be kept by its receiver. */
export interface Cacheability {
  /** The id of what is answered. */
  readonly hash: string
  readonly isImmutable: boolean
}

function cacheHeaders({ hash, isImmutable }: Cacheability): Record<string, string> {
  return { ETag: `"${hash}"`, 'Cache-Control': isImmutable ? IMMUTABLE : REVALIDATED }
}

/** The answer to who has it already; `undefined` where the bytes have to be sent. */
export function notModified(request: Request, caching: Cacheability): Response | undefined {
  const known = request.headers.get('If-None-Match')
  const tags = known?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  if (!tags.includes('*') && !tags.includes(`"${caching.hash}"`)) return undefined
  return new Response(null, { status: 304, headers: cacheHeaders(caching) })
}

/** An envelope with what a hash names, for who does not have it already. */
export function immutableResult(request: Request, result: unknown, hash: string): Response {
  const caching = { hash, isImmutable: true }
  const known = notModified(request, caching)
  if (known !== undefined) return known
  const response = resultResponse(result)
  for (const [name, value] of Object.entries(cacheHeaders(caching))) response.headers.set(name, value)
  return response
}

/** Bytes that are there. */
export function bytesResponse(bytes: Uint8Array<ArrayBuffer>, type: string, caching: Cacheability): Response {
  const headers = { ...cacheHeaders(caching), ...BROWSER_SAFE, 'Content-Type': type }
  return new Response(bytes, { headers: { ...headers, 'Content-Length': String(bytes.length) } })
}

/**
 * Streams a blob as bytes without a type, and closes it when it has been sent.
 *
 * @throws ArtifactsError `MEMORY_LIMIT` for one larger than `maxBytes`.
 */
export async function blobResponse(
  hub: HubContext,
  request: Request,
  { blob, content }: BlobContent,
  caching: Cacheability,
  maxBytes = Infinity,
): Promise<Response> {
  const close = (): void => {
    hub.background(content.close())
  }
  const unchanged = notModified(request, caching)
  if (unchanged !== undefined || blob.size > maxBytes) {
    close()
    if (unchanged !== undefined) return unchanged
    throw tooLarge()
  }
  const body = await createResponseBody(blob.read(), {
    onCancel: () => undefined,
    onError: hub.onError,
    onEnd: close,
  })
  const headers = { ...cacheHeaders(caching), ...BROWSER_SAFE, 'Content-Type': 'application/octet-stream' }
  return new Response(body, { headers: { ...headers, 'Content-Length': String(blob.size) } })
}
