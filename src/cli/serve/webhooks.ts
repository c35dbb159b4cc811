import { createHash } from 'node:crypto'
import { createWebhookSink, type EventSink } from '../../hub/index.ts'
import { misuse } from '../failure.ts'

/**
 * Creates what posts the events of a hub to addresses.
 *
 * @param secret signs them; default: that of PACKSTONE_WEBHOOK_SECRET in the environment.
 */
export function createWebhookSinks(
  urls: readonly string[],
  secret: string = process.env['PACKSTONE_WEBHOOK_SECRET'] ?? '',
): EventSink[] {
  if (urls.length > 0 && secret === '') {
    throw misuse('--webhook needs a secret to sign with: --webhook-secret, or PACKSTONE_WEBHOOK_SECRET')
  }
  return [...new Set(urls)].map((url) => createWebhookSink({ name: webhookName(url), url, secret }))
}

/**
 * The same for an address at every start, so that what waits for it goes to it; and nothing to open it with, because logs name it: the
 * rest of the address may be a secret.
 */
function webhookName(url: string): string {
  return `${new URL(url).host} ${createHash('sha256').update(url).digest('hex').slice(0, 8)}`
}
