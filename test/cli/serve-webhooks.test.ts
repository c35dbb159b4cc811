import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { isWebhookSigned, type HubEvent } from '../../src/hub/index.ts'
import { eventually } from '../support/eventually.ts'
import { startServe } from '../support/servers/packstone.ts'
import { useScratch } from '../support/hooks.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()

interface Received {
  readonly headers: Headers
  readonly body: string
}

/** A receiver of webhooks on a socket. */
async function startReceiver(
  status: () => number,
): Promise<{ readonly url: string; readonly received: Received[] }> {
  const received: Received[] = []
  const answer = async (request: IncomingMessage): Promise<number> => {
    const headers = new Headers()
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value))
    received.push({ headers, body: await text(request) })
    return status()
  }
  const server = createServer((request, response) => {
    void answer(request).then((code) => response.writeHead(code).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=k`, received }
}

it('packstone serve posts events to every --webhook, signed, also what one of them refused before a restart', async () => {
  let isOpen = false
  const easy = await startReceiver(() => 204)
  const busy = await startReceiver(() => (isOpen ? 200 : 503))
  const args = ['--data', scratch.fresh('data'), '--storage', 'sqlite', '--api-token', 'secret']
  const hooks = ['--webhook', easy.url, '--webhook', busy.url, '--webhook-secret', 's3cret']
  const first = await startServe([...args, ...hooks])
  const repos = `${first.url}/client/v4/accounts/local/artifacts/namespaces/team/repos`
  const headers = { Authorization: 'Bearer secret' }
  const created = await fetch(repos, { method: 'POST', headers, body: JSON.stringify({ name: 'one' }) })
  expect(created.status).toBe(201)
  // An event may come more than once.
  const typesOf = ({ received }: typeof easy): string[] => [
    ...new Set(received.map(({ body }) => (JSON.parse(body) as HubEvent).type)),
  ]
  const expected = ['cf.artifacts.repo.created', 'cf.artifacts.repo.token.created']
  await eventually(() => {
    expect([typesOf(easy), typesOf(busy).length > 0]).toEqual([expected, true])
  })
  await first.close()
  expect(typesOf(busy)).toEqual(expected.slice(0, 1))
  isOpen = true
  busy.received.length = 0
  const second = await startServe([...args, ...hooks])
  onTestFinished(() => second.close())
  await eventually(() => {
    expect(typesOf(busy)).toEqual(expected)
  })
  const [event] = busy.received
  if (event === undefined) throw new Error('nothing was posted')
  expect(await isWebhookSigned('s3cret', event)).toBe(true)
  expect(await isWebhookSigned('other', event)).toBe(false)
  expect(typesOf(easy)).toEqual(expected)
})

it('a --webhook without a secret, or that is no address, is refused before anything is made', async () => {
  const data = scratch.fresh('none')
  const outcomes = []
  for (const hook of ['https://ci.example.com/hook', 'ci.example.com']) {
    outcomes.push(await runPackstone(['serve', '--data', data, '--webhook', hook]))
  }
  expect(outcomes.map(({ code }) => code)).toEqual([2, 2])
  expect(outcomes[0]?.stderr).toContain('--webhook-secret, or PACKSTONE_WEBHOOK_SECRET')
  expect(outcomes[1]?.stderr).toContain('http:// or https://')
})
