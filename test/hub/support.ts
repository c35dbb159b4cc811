import { onTestFinished } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { serve } from '../../src/hosts/node/index.ts'
import { createHub, type Hub, type HubOptions } from '../../src/hub/hub.ts'
import { createMemoryRegistry } from '../../src/hub/registry/memory/memory-registry.ts'
import type { Registry } from '../../src/hub/registry/registry.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import type { Storage } from '../../src/storage/storage.ts'

export const ACCOUNT = 'acct'
export const API_TOKEN = 'api-token-of-tests'
export const ORIGIN = 'https://hub.example'

/** An answer of the REST interface, as far as tests look into it. */
export interface RestAnswer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  /** The text of the body. */
  readonly text: string
  /** The parsed body, where it is JSON. */
  readonly json: RestEnvelope
}

export interface RestEnvelope {
  readonly result: unknown
  readonly success: boolean
  readonly errors: readonly Record<string, unknown>[]
  readonly messages: readonly unknown[]
  readonly result_info?: Record<string, unknown>
}

export interface TestHub {
  readonly hub: Hub
  readonly storage: Storage
  readonly registry: Registry
  /** What the hub told `onError`. */
  readonly failures: unknown[]
  /** Calls the REST interface below `…/artifacts`, with the API token unless headers say otherwise. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<RestAnswer>
  /** Calls it, which must succeed; the `result`. */
  readonly result: <T = Record<string, unknown>>(method: string, path: string, body?: unknown) => Promise<T>
}

/** A hub in memory. */
export function createTestHub(options: Partial<HubOptions> = {}): TestHub {
  const storage = options.storage ?? createMemoryStorage()
  const registry = options.registry ?? createMemoryRegistry()
  const failures: unknown[] = []
  const hub = createHub({
    origin: ORIGIN,
    account: ACCOUNT,
    apiTokens: [API_TOKEN],
    codecs: createNodeCodecs(),
    onError: (error) => failures.push(error),
    ...options,
    storage,
    registry,
  })
  const base = `${(options.origin ?? ORIGIN).replace(/\/+$/, '')}/client/v4/accounts/${ACCOUNT}/artifacts`
  const call: TestHub['call'] = async (method, path, body, headers = {}) => {
    const request = new Request(base + path, {
      method,
      headers: { Authorization: `Bearer ${API_TOKEN}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return readAnswer(await hub.fetch(request))
  }
  return {
    hub,
    storage,
    registry,
    failures,
    call,
    result: async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const answer = await call(method, path, body)
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
      return answer.json.result as T
    },
  }
}

/** A hub on a port of this machine, until the test is over. */
export async function startTestHub(
  options: Partial<HubOptions> = {},
): Promise<TestHub & { readonly url: string }> {
  const late: { hub?: Hub } = {}
  const server = await serve({
    handler: (request) => late.hub?.fetch(request) ?? new Response(null, { status: 503 }),
  })
  const started = createTestHub({ ...options, origin: server.url })
  late.hub = started.hub
  onTestFinished(async () => {
    await server.close(0)
    await started.hub.close()
  })
  return { ...started, url: server.url }
}

/** What REST answers to a creation. */
export interface CreatedResult {
  readonly id: string
  readonly name: string
  readonly remote: string
  readonly token: string
}

/** An address with a token as its password. */
export function withToken(remote: string, token: string, username = 'x'): string {
  const url = new URL(remote)
  url.username = username
  url.password = token
  return url.href
}

export async function readAnswer(response: Response): Promise<RestAnswer> {
  const text = await response.text()
  const type = response.headers.get('Content-Type')
  const json: unknown = type === 'application/json' && text !== '' ? JSON.parse(text) : undefined
  return { status: response.status, type, headers: response.headers, text, json: json as RestEnvelope }
}
