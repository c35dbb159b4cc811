import { encodeHex } from '../../bytes/hex.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { equalInConstantTime } from '../tokens/constant-time.ts'
import type { EventSink } from './event-sink.ts'

export interface WebhookOptions {
  readonly name: string
  readonly url: string
  /** Signs what is sent: see {@link signWebhook}. */
  readonly secret: string
  /** How long one attempt may take, in milliseconds. Default 10 000. */
  readonly timeout?: number
  /** Default: the host's `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Milliseconds since the epoch. Default: the clock of the machine. */
  readonly now?: () => number
}

const WEBHOOK_EVENT = 'X-Packstone-Event'
const WEBHOOK_DELIVERY = 'X-Packstone-Delivery'
const WEBHOOK_TIMESTAMP = 'X-Packstone-Timestamp'
const WEBHOOK_SIGNATURE = 'X-Packstone-Signature-256'

/**
 * Creates a sink that posts events as JSON. An answer of 2xx takes an event; redirects are not followed. The event's type, its id, the
 * time in seconds and the signature stand in headers.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function createWebhookSink(options: WebhookOptions): EventSink {
  const { name, url, secret, timeout = 10_000, now = Date.now } = options
  const send = options.fetch ?? ((target, init) => fetch(target, init))
  if (!URL.canParse(url)) throw new GitError('INVALID_ARGUMENT', `the URL of webhook '${name}' is malformed`)
  if (secret === '') throw new GitError('INVALID_ARGUMENT', `the secret of webhook '${name}' is empty`)
  return {
    name,
    async deliver(event, signal) {
      const body = JSON.stringify(event)
      const timestamp = String(Math.floor(now() / 1000))
      const response = await send(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
        headers: {
          'Content-Type': 'application/json',
          [WEBHOOK_EVENT]: event.type,
          [WEBHOOK_DELIVERY]: event.id,
          [WEBHOOK_TIMESTAMP]: timestamp,
          [WEBHOOK_SIGNATURE]: await signWebhook(secret, timestamp, body),
        },
      })
      await response.body?.cancel()
      if (response.ok) return
      throw new GitError('UNAVAILABLE', `webhook '${name}' answered with status ${response.status}`, {
        details: { status: response.status },
      })
    },
  }
}

/** The signature of a webhook's request: `sha256=` and the HMAC, in hexadecimal, of the timestamp, a dot and the body. */
export async function signWebhook(secret: string, timestamp: string, body: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytesOf(secret), algorithm, false, ['sign'])
  const digest = await crypto.subtle.sign('HMAC', key, bytesOf(`${timestamp}.${body}`))
  return `sha256=${encodeHex(new Uint8Array(digest))}`
}

/** Tells a receiver whether a request is a webhook's: signed by who has the secret, and not older than some seconds. */
export async function isWebhookSigned(
  secret: string,
  request: { readonly headers: Headers; readonly body: string },
  options: { readonly toleranceSeconds?: number; readonly now?: number } = {},
): Promise<boolean> {
  const { toleranceSeconds = 300, now = Date.now() } = options
  const timestamp = request.headers.get(WEBHOOK_TIMESTAMP) ?? ''
  const signature = request.headers.get(WEBHOOK_SIGNATURE) ?? ''
  const isRecent = Math.abs(now / 1000 - Number(timestamp)) <= toleranceSeconds
  return isRecent && equalInConstantTime(signature, await signWebhook(secret, timestamp, request.body))
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeUtf8(text))
}
