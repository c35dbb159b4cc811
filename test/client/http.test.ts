import { describe, expect, it } from 'vitest'
import { createClient, type ClientOptions, type CredentialRequest } from '../../src/client/index.ts'
import { encodePkt, FLUSH_PKT } from '../../src/protocol/pkt-line.ts'
import { concatBytes } from '../../src/bytes/concat.ts'
import { gitError } from '../support/git-error.ts'

const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement'

interface Seen {
  readonly url: string
  readonly headers: Headers
  readonly redirect: string | undefined
}

/** A client of a remote that answers as told, and what the remote saw. */
function clientWith(
  answer: (url: string, headers: Headers) => Response | Promise<Response>,
  options: Partial<ClientOptions> = {},
): { readonly client: ReturnType<typeof createClient>; readonly seen: Seen[] } {
  const seen: Seen[] = []
  const client = createClient({
    url: 'https://git.test/team/a.git',
    fetch: async (url, init) => {
      const headers = new Headers(init.headers)
      seen.push({ url, headers, redirect: init.redirect })
      return answer(url, headers)
    },
    ...options,
  })
  return { client, seen }
}

function advertisement(...lines: readonly string[]): Response {
  const packets = (lines.length === 0 ? ['version 2\n', 'fetch=shallow\n'] : lines).map((line) =>
    encodePkt(line),
  )
  return new Response(new Uint8Array(concatBytes([...packets, FLUSH_PKT])), {
    headers: { 'Content-Type': ADVERTISEMENT },
  })
}

const unauthorized = (): Response =>
  new Response('who are you?\n', {
    status: 401,
    headers: { 'WWW-Authenticate': 'Basic realm="x"', 'Content-Type': 'text/plain' },
  })

describe('credentials', () => {
  it('that are given are sent at once, also from the address, and kept out of it', async () => {
    const given: readonly (readonly [Partial<ClientOptions>, string])[] = [
      [
        { credentials: { kind: 'basic', username: 'jürgen', password: 'p:w' } },
        `Basic ${Buffer.from('jürgen:p:w').toString('base64')}`,
      ],
      [{ credentials: { kind: 'bearer', token: 'abc' } }, 'Bearer abc'],
      [{ url: 'https://me:s%40crt@git.test/team/a.git/' }, `Basic ${btoa('me:s@crt')}`],
    ]
    for (const [options, header] of given) {
      const { client, seen } = clientWith(() => advertisement(), options)
      await client.discover()
      expect(seen.map(({ url, headers }) => [url, headers.get('Authorization')])).toEqual([
        ['https://git.test/team/a.git/info/refs?service=git-upload-pack', header],
      ])
      expect(client.url).toBe('https://git.test/team/a.git')
    }
  })

  it('are asked for once when the remote wants them, and sent from then on', async () => {
    const asked: CredentialRequest[] = []
    const { client, seen } = clientWith(
      (_, headers) => (headers.get('Authorization') === 'Bearer yes' ? advertisement() : unauthorized()),
      {
        credentials: (request) => {
          asked.push(request)
          return { kind: 'bearer', token: 'yes' }
        },
      },
    )
    await client.discover()
    await client.discover()
    expect(asked).toEqual([{ url: 'https://git.test/team/a.git', challenge: 'Basic realm="x"' }])
    expect(seen.map(({ headers }) => headers.get('Authorization'))).toEqual([
      null,
      'Bearer yes',
      'Bearer yes',
    ])
  })

  it('that the remote refuses end the operation, with what it said', async () => {
    let asked = 0
    const { client, seen } = clientWith(unauthorized, {
      credentials: () => {
        asked++
        return { kind: 'bearer', token: 'no' }
      },
    })
    await expect(client.discover()).rejects.toThrow(gitError('FORBIDDEN', 'remote: who are you?'))
    expect([asked, seen.length]).toEqual([1, 2])
    const without = clientWith(unauthorized)
    await expect(without.client.discover()).rejects.toThrow(gitError('FORBIDDEN'))
    const declining = clientWith(unauthorized, { credentials: () => undefined })
    await expect(declining.client.discover()).rejects.toThrow(gitError('FORBIDDEN'))
    expect(declining.seen).toHaveLength(1)
  })

  it('that no header can carry are refused', () => {
    const create = (credentials: ClientOptions['credentials']) => () =>
      clientWith(() => advertisement(), credentials === undefined ? {} : { credentials })
    expect(create({ kind: 'bearer', token: 'a\nb' })).toThrow(gitError('INVALID_ARGUMENT'))
    expect(create({ kind: 'basic', username: 'a:b', password: '' })).toThrow(gitError('INVALID_ARGUMENT'))
  })
})

describe('redirects', () => {
  const to = (location: string): Response =>
    new Response(null, { status: 302, headers: { Location: location } })

  it('are not followed unless that was asked for', async () => {
    const { client, seen } = clientWith(() => to('https://git.test/b.git/info/refs?service=git-upload-pack'))
    await expect(client.discover()).rejects.toThrow(gitError('PROTOCOL', 'redirects'))
    expect(seen.map(({ redirect }) => redirect)).toEqual(['manual'])
  })

  it('move the repository, and leave credentials and headers at home', async () => {
    const { client, seen } = clientWith(
      (url) => {
        if (url.startsWith('https://git.test/'))
          return to('https://other.test/b.git/info/refs?service=git-upload-pack')
        if (url.includes('info/refs')) return advertisement('version 2\n', 'ls-refs\n')
        return new Response('0000', { headers: { 'Content-Type': 'application/x-git-upload-pack-result' } })
      },
      { followRedirects: true, credentials: { kind: 'bearer', token: 'abc' }, headers: { 'X-Mine': '1' } },
    )
    expect(await client.lsRefs()).toEqual({ refs: [] })
    expect(
      seen.map(({ url, headers }) => [url, headers.get('Authorization'), headers.get('X-Mine')]),
    ).toEqual([
      ['https://git.test/team/a.git/info/refs?service=git-upload-pack', 'Bearer abc', '1'],
      ['https://other.test/b.git/info/refs?service=git-upload-pack', null, null],
      ['https://other.test/b.git/git-upload-pack', null, null],
    ])
  })

  it('to a remote that wants credentials ask for its own, and keep them from the first one', async () => {
    const asked: string[] = []
    const { client, seen } = clientWith(
      (url, headers) => {
        if (url.startsWith('https://git.test/'))
          return to('https://other.test/b.git/info/refs?service=git-upload-pack')
        return headers.get('Authorization') === 'Bearer other' ? advertisement() : unauthorized()
      },
      {
        followRedirects: true,
        credentials: ({ url }) => {
          asked.push(url)
          return { kind: 'bearer', token: 'other' }
        },
      },
    )
    await client.discover()
    await client.discover()
    expect(asked).toEqual(['https://other.test/b.git'])
    expect(seen.map(({ url, headers }) => [new URL(url).host, headers.get('Authorization')])).toEqual([
      ['git.test', null],
      ['other.test', null],
      ['other.test', 'Bearer other'],
      ['git.test', null],
      ['other.test', 'Bearer other'],
    ])
  })

  it.each([
    ['http://git.test/b.git/info/refs?service=git-upload-pack', 'another scheme'],
    ['https://git.test/login', 'info/refs'],
    ['/b.git/info/refs?service=git-receive-pack', 'info/refs'],
    ['/team/a.git/info/refs?service=git-upload-pack', 'more than'],
  ])('to %s are refused', async (location, text) => {
    const { client } = clientWith(() => to(location), { followRedirects: true })
    await expect(client.discover()).rejects.toThrow(gitError('PROTOCOL', text))
  })
})

describe('answers that are none', () => {
  it.each([
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [410, 'NOT_FOUND'],
    [413, 'LIMIT_EXCEEDED'],
    [418, 'PROTOCOL'],
    [429, 'UNAVAILABLE'],
    [500, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
  ] as const)('of status %d are errors of code %s, with the text of the remote', async (status, code) => {
    const text = 'first line\n\x1b[31msecond\x07 line\r\n'
    const { client } = clientWith(
      () => new Response(text, { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }),
    )
    await expect(client.lsRefs()).rejects.toThrow(
      gitError(code, 'remote: first line\nremote:  [31msecond  line'),
    )
  })

  it('keep pages for browsers out of messages', async () => {
    const { client } = clientWith(
      () => new Response('<html>', { status: 404, headers: { 'Content-Type': 'text/html' } }),
    )
    await expect(client.lsRefs()).rejects.toThrow(/^(?!.*html).*$/s)
  })

  it('of another type are not read', async () => {
    for (const type of ['text/html', 'text/plain', ADVERTISEMENT.replace('upload', 'receive'), '']) {
      const { client } = clientWith(
        () => new Response('0000', type === '' ? {} : { headers: { 'Content-Type': type } }),
      )
      await expect(client.discover()).rejects.toThrow(gitError('PROTOCOL', 'smart HTTP'))
    }
  })

  it('and remotes that cannot be reached are UNAVAILABLE', async () => {
    const { client } = clientWith(() => Promise.reject(new TypeError('fetch failed')))
    await expect(client.discover()).rejects.toThrow(gitError('UNAVAILABLE'))
    const broken = clientWith(() => {
      const body = new ReadableStream({
        pull(controller) {
          controller.error(new TypeError('terminated'))
        },
      })
      return new Response(body, { headers: { 'Content-Type': ADVERTISEMENT } })
    })
    await expect(broken.client.discover()).rejects.toThrow(gitError('UNAVAILABLE'))
  })

  it('in the middle of packets say what the remote said', async () => {
    const { client } = clientWith(() => advertisement('ERR access denied: see https://git.test/help'))
    await expect(client.discover()).rejects.toThrow(gitError('PROTOCOL', 'access denied: see'))
  })
})

describe('limits', () => {
  const refs = Array.from({ length: 50 }, (_, at) => `${'a5'.repeat(20)} refs/heads/branch-${at}\n`)
  const [first = '', ...rest] = refs
  const lines = [`${first.trimEnd()}\0 agent=x\n`, ...rest]

  it('hold for the number of refs and the size of their list', async () => {
    const count = clientWith(() => advertisement(...lines), { limits: { maxRefs: 49 } })
    await expect(count.client.lsRefs()).rejects.toThrow(gitError('LIMIT_EXCEEDED', '49 refs'))
    const size = clientWith(() => advertisement(...lines), { limits: { maxAdvertisementBytes: 1000 } })
    await expect(size.client.lsRefs()).rejects.toThrow(gitError('LIMIT_EXCEEDED', '1000 bytes'))
    const enough = clientWith(() => advertisement(...lines), { limits: { maxRefs: 50 } })
    expect((await enough.client.lsRefs()).refs).toHaveLength(50)
  })
})

describe('an abort', () => {
  it('before the first request sends none', async () => {
    const { client, seen } = clientWith(() => advertisement())
    await expect(client.discover({ signal: AbortSignal.abort() })).rejects.toThrow(gitError('ABORTED'))
    expect(seen).toEqual([])
  })

  it('ends a remote that answers no more, whichever signal fires, and lets go of its answer', async () => {
    for (const which of ['client', 'operation']) {
      const controller = new AbortController()
      let cancelled = false
      const { client } = clientWith(
        () => {
          const body = new ReadableStream({
            start(stream) {
              stream.enqueue(encodePkt('version 2\n'))
              setTimeout(() => {
                controller.abort()
              }, 10)
            },
            cancel() {
              cancelled = true
            },
          })
          return new Response(body, { headers: { 'Content-Type': ADVERTISEMENT } })
        },
        which === 'client' ? { signal: controller.signal } : {},
      )
      const { signal } = which === 'client' ? new AbortController() : controller
      await expect(client.discover({ signal })).rejects.toThrow(gitError('ABORTED'))
      expect(cancelled).toBe(true)
    }
  })
})

describe('addresses', () => {
  it.each(['', 'nonsense', 'https://git.test/a.git?x=1', 'https://git.test/a.git#b'])(
    '%s is refused',
    (url) => {
      expect(() => createClient({ url })).toThrow(gitError('INVALID_ARGUMENT'))
    },
  )

  it.each(['ssh://git.test/a.git', 'file:///a.git'])('%s is not supported', (url) => {
    expect(() => createClient({ url })).toThrow(gitError('UNSUPPORTED'))
  })

  it('do not show passwords', () => {
    expect(() => createClient({ url: 'https://me:secret@git.test/a.git?x=1' })).toThrow(/^(?!.*secret).*$/)
  })
})
