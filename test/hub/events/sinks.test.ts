import { describe, expect, it } from 'vitest'
import { createCallbackSink, createQueueSink } from '../../../src/hub/events/event-sink.ts'
import type { HubEvent } from '../../../src/hub/events/hub-event.ts'
import { createWebhookSink, isWebhookSigned } from '../../../src/hub/events/webhook-sink.ts'
import { eventually } from '../../support/eventually.ts'
import { createTestHub } from '../support.ts'

describe('sinks', () => {
  it('post webhooks whose signature a receiver can check', async () => {
    const requests: { headers: Headers; body: string }[] = []
    const sink = createWebhookSink({
      name: 'hook',
      url: 'https://example.com/hook',
      secret: 's3cret',
      fetch: (url, init) => {
        expect([url, init.redirect, init.method]).toEqual(['https://example.com/hook', 'manual', 'POST'])
        requests.push({ headers: new Headers(init.headers), body: init.body as string })
        return Promise.resolve(new Response(null, { status: requests.length === 1 ? 500 : 204 }))
      },
    })
    const hub = createTestHub({ events: { sinks: [sink], retry: { firstWait: 1 } } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(() => {
      expect(requests).toHaveLength(3)
    })
    const [refused, again] = requests
    expect(again?.headers.get('X-Packstone-Delivery')).toBe(refused?.headers.get('X-Packstone-Delivery'))
    for (const request of requests) {
      const event = JSON.parse(request.body) as HubEvent
      expect(request.headers.get('X-Packstone-Event')).toBe(event.type)
      expect(await isWebhookSigned('s3cret', request)).toBe(true)
      expect(await isWebhookSigned('other', request)).toBe(false)
      expect(await isWebhookSigned('s3cret', { ...request, body: `${request.body} ` })).toBe(false)
      expect(await isWebhookSigned('s3cret', request, { now: Date.now() + 3_600_000 })).toBe(false)
    }
  })

  it('send to queues what Cloudflare’s subscriptions send', async () => {
    const messages: Record<string, unknown>[] = []
    const queue = {
      send: (message: unknown) => {
        messages.push(message as Record<string, unknown>)
        return Promise.resolve()
      },
    }
    const hub = createTestHub({ events: { sinks: [createQueueSink('my-queue', queue)] } })
    await hub.result('POST', '/namespaces/team/repos', { name: 'one' })
    await eventually(() => {
      expect(messages).toHaveLength(2)
    })
    expect(Object.keys(messages[0] ?? {})).toEqual(['type', 'source', 'metadata', 'payload', 'id'])
    expect(Object.keys(messages[0]?.['source'] as object)).toEqual(['namespace', 'repoName', 'type'])
    expect(messages[0]?.['metadata']).toMatchObject({
      eventSubscriptionId: 'my-queue',
      eventSchemaVersion: 1,
    })
  })

  it('with wrong options are refused at once', () => {
    const make = (url: string, secret: string) => () => createWebhookSink({ name: 'x', url, secret })
    expect(make('nonsense', 's')).toThrow('malformed')
    expect(make('https://example.com', '')).toThrow('empty')
    const sinks = ['a', 'b', 'a'].map((name) => createCallbackSink(name, () => undefined))
    expect(() => createTestHub({ events: { sinks } })).toThrow("sinks are named 'a', 'b', 'a'")
  })
})
