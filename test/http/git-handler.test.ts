import { gzipSync } from 'node:zlib'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { GitError, type GitErrorCode } from '../../src/errors.ts'
import {
  createGitHandler,
  type GitHandlerOptions,
  type GitServices,
  type Resolution,
} from '../../src/http/index.ts'
import type { Repository } from '../../src/repository/repository.ts'

/** The handler only hands the repository on: services and test share this marker. */
const repository = { marker: 'a repository' } as unknown as Repository
const options = { uploadPack: { agent: 'up' }, receivePack: { agent: 'down' } }

const found: Resolution = { kind: 'found', repository, options, access: { upload: true, receive: true } }

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await sleep(0)
    yield encodeUtf8(text)
  }
}

/** Services that echo the request's body, and say what they were called with. */
function echoServices(calls: unknown[] = []): GitServices {
  return {
    advertise(...args) {
      calls.push(['advertise', ...args])
      return pieces('refs', ' and more')
    },
    uploadPack(given, request, context) {
      calls.push(['uploadPack', given, context])
      return request
    },
    receivePack(given, request, context) {
      calls.push(['receivePack', given, context])
      return request
    },
  }
}

function handler(given: Partial<GitHandlerOptions> = {}): (request: Request) => Promise<Response> {
  return createGitHandler({ resolve: () => found, services: echoServices(), ...given })
}

function get(target: string, headers: Record<string, string> = {}, method = 'GET'): Request {
  return new Request('http://localhost' + target, { method, headers })
}

function post(
  body: Uint8Array | string,
  headers: Record<string, string> = {},
  service = 'git-upload-pack',
): Request {
  return new Request(`http://localhost/a.git/${service}`, {
    method: 'POST',
    headers: { 'Content-Type': `application/x-${service}-request`, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
}

const REFS = '/a.git/info/refs?service=git-upload-pack'

describe('an advertisement', () => {
  it('has the banner in v0 and v1, the exact type, and is kept out of caches', async () => {
    for (const version of ['', 'version=1']) {
      const answer = await handler()(get(REFS, version === '' ? {} : { 'Git-Protocol': version }))
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/x-git-upload-pack-advertisement')
      expect(answer.headers.get('cache-control')).toBe('no-cache, max-age=0, must-revalidate')
      expect(answer.headers.get('pragma')).toBe('no-cache')
      expect(answer.headers.get('expires')).toBe('Fri, 01 Jan 1980 00:00:00 GMT')
      expect(await answer.text()).toBe('001e# service=git-upload-pack\n0000refs and more')
    }
  })

  it('has no banner in v2, except for a push, which knows no v2', async () => {
    const headers = { 'Git-Protocol': 'version=2' }
    expect(await (await handler()(get(REFS, headers))).text()).toBe('refs and more')
    const push = await handler()(get('/a.git/info/refs?service=git-receive-pack', headers))
    expect(await push.text()).toBe('001f# service=git-receive-pack\n0000refs and more')
  })

  it('to HEAD has the headers of GET and no body', async () => {
    let released = 0
    const resolve = (): Resolution => ({ ...found, release: () => released++ })
    const answer = await handler({ resolve })(get(REFS, {}, 'HEAD'))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/x-git-upload-pack-advertisement')
    expect(answer.body).toBeNull()
    expect(released).toBe(1)
  })

  it('that fails at once is an error answer, banner or not', async () => {
    const services: GitServices = {
      ...echoServices(),
      advertise() {
        throw new GitError('LOCKED', 'busy')
      },
    }
    const answer = await handler({ services })(get(REFS))
    expect([answer.status, await answer.text()]).toEqual([503, 'busy\n'])
    expect(answer.headers.get('retry-after')).toBe('1')
  })
})

describe('a service', () => {
  it('gets repository, version, its own options and the body, and answers with the exact type', async () => {
    const calls: unknown[] = []
    const handle = handler({ services: echoServices(calls) })
    const fetched = await handle(post('0000', { 'Git-Protocol': 'version=2' }))
    expect(fetched.headers.get('content-type')).toBe('application/x-git-upload-pack-result')
    expect(await fetched.text()).toBe('0000')
    const pushed = await handle(post('0000', {}, 'git-receive-pack'))
    expect(pushed.headers.get('content-type')).toBe('application/x-git-receive-pack-result')
    expect(await pushed.text()).toBe('0000')
    expect(calls).toMatchObject([
      ['uploadPack', repository, { version: 2, options: options.uploadPack }],
      ['receivePack', repository, { options: options.receivePack }],
    ])
  })

  it('gets a gzip body inflated', async () => {
    for (const name of ['gzip', 'x-gzip', 'GZIP']) {
      const answer = await handler()(post(gzipSync('0032want …'), { 'Content-Encoding': name }))
      expect(await answer.text()).toBe('0032want …')
    }
  })

  it('gets no more of a gzip body than the limit: 413', async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000))
    const collecting: GitServices = {
      ...echoServices(),
      async *uploadPack(_, request) {
        let size = 0
        for await (const piece of request) size += piece.length
        yield encodeUtf8(String(size))
      },
    }
    const handle = handler({ services: collecting, maxInflatedBytes: 1_000_000 })
    const answer = await handle(post(bomb, { 'Content-Encoding': 'gzip' }))
    expect(answer.status).toBe(413)
    expect(await answer.text()).toMatch(/more than 1000000 bytes/)
  })

  it('gets no gzip body that is malformed or cut short: 400', async () => {
    const whole = gzipSync('x'.repeat(1000))
    for (const body of [encodeUtf8('not gzip at all'), whole.subarray(0, whole.length - 9)]) {
      const services: GitServices = {
        ...echoServices(),
        async *uploadPack(_, request) {
          // Consumed before anything is answered.
          for await (const piece of request) expect(piece.length).toBeGreaterThan(0)
          yield encodeUtf8('consumed')
        },
      }
      const answer = await handler({ services })(post(body, { 'Content-Encoding': 'gzip' }))
      expect([answer.status, await answer.text()]).toEqual([
        400,
        'the body of this request says gzip but is malformed or cut short\n',
      ])
    }
  })

  it('is not reached by a body of another type or an unknown encoding: 415', async () => {
    const calls: unknown[] = []
    const handle = handler({ services: echoServices(calls) })
    const wrong = await handle(post('0000', { 'Content-Type': 'text/plain' }))
    expect([wrong.status, await wrong.text()]).toEqual([
      415,
      "expected a body of type application/x-git-upload-pack-request, but received 'text/plain'\n",
    ])
    expect((await handle(post('0000', { 'Content-Encoding': 'br' }))).status).toBe(415)
    expect(calls).toEqual([])
  })

  it('that throws before its first byte answers with a status and one line of text', async () => {
    const cases: [GitErrorCode, number][] = [
      ['PROTOCOL', 400],
      ['FORBIDDEN', 403],
      ['NOT_FOUND', 404],
      ['LIMIT_EXCEEDED', 413],
      ['UNSUPPORTED', 501],
      ['LOCKED', 503],
    ]
    for (const [code, status] of cases) {
      const services: GitServices = {
        ...echoServices(),
        async *uploadPack() {
          yield* pieces('')
          throw new GitError(code, 'what happened,\nand what to do')
        },
      }
      const answer = await handler({ services })(post('0000'))
      expect([answer.status, await answer.text()]).toEqual([status, 'what happened, and what to do\n'])
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    }
  })

  it('whose failure is the server’s own tells the client no details, and the operator all of them', async () => {
    for (const error of [new GitError('CORRUPT_PACK', '/srv/secret is broken'), new Error('/srv/secret')]) {
      const errors: unknown[] = []
      const services: GitServices = {
        ...echoServices(),
        uploadPack() {
          throw error
        },
      }
      const answer = await handler({ services, onError: (caught) => errors.push(caught) })(post('0000'))
      expect(answer.status).toBe(500)
      expect(await answer.text()).not.toContain('secret')
      expect(errors).toEqual([error])
    }
  })

  it('whose failure is only hinted at in the protocol is told to the operator in full', async () => {
    const errors: unknown[] = []
    const failing: GitServices = {
      ...echoServices(),
      async *uploadPack(_repository, _body, context) {
        context.onFailure?.(new GitError('MISSING_OBJECT', 'object 12 is missing'))
        yield* pieces('told on band 3')
      },
      async *receivePack(_repository, _body, context) {
        context.onFailure?.(new GitError('STORAGE', 'the disk is full'))
        yield* pieces('told in the report')
      },
    }
    const handle = handler({ services: failing, onError: (error) => errors.push(error) })
    await (await handle(post('0000'))).text()
    await (await handle(post('0000', {}, 'git-receive-pack'))).text()
    expect(errors).toMatchObject([{ code: 'MISSING_OBJECT' }, { code: 'STORAGE' }])
  })

  it('that fails after its first byte breaks the answer off', async () => {
    const errors: unknown[] = []
    const services: GitServices = {
      ...echoServices(),
      async *uploadPack() {
        yield* pieces('PACK')
        throw new GitError('STORAGE', 'the disk is gone')
      },
    }
    const answer = await handler({ services, onError: (error) => errors.push(error) })(post('0000'))
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    expect(errors).toMatchObject([{ code: 'STORAGE' }])
  })

  it('is asked for its next piece only when somebody wants it', async () => {
    let made = 0
    const services: GitServices = {
      ...echoServices(),
      async *uploadPack() {
        for (;;) yield* pieces(String(made++))
      },
    }
    const reader = (await handler({ services })(post('0000'))).body?.getReader()
    await sleep(20)
    expect(made).toBe(1)
    await reader?.read()
    await reader?.read()
    await sleep(20)
    expect(made).toBe(2)
    await reader?.cancel()
  })

  it('reads the next piece of a request only when it wants it', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          sent++
          controller.enqueue(encodeUtf8('x'))
        },
      },
      { highWaterMark: 0 },
    )
    const services: GitServices = {
      ...echoServices(),
      async *receivePack(_, request) {
        for await (const piece of request) {
          yield piece
          return
        }
      },
    }
    const init = { method: 'POST', body, duplex: 'half', headers: post('', {}, 'git-receive-pack').headers }
    const answer = await handler({ services })(new Request('http://localhost/a/git-receive-pack', init))
    expect(await answer.text()).toBe('x')
    expect(sent).toBe(1)
  })
})

describe('an abort', () => {
  /** A service that goes on until its signal fires, and notes how it ended. */
  function endless(ended: string[]): GitServices {
    return {
      ...echoServices(),
      async *uploadPack(_, __, { signal }) {
        try {
          yield* pieces('first')
          while (signal?.aborted === false) await sleep(2)
          ended.push(signal?.reason instanceof GitError ? signal.reason.code : 'no reason')
        } finally {
          ended.push('finally')
        }
      },
    }
  }

  it('by cancelling the answer fires the signal, ends the generator and releases the repository', async () => {
    const ended: string[] = []
    const resolve = (): Resolution => ({ ...found, release: () => ended.push('released') })
    const answer = await handler({ services: endless(ended), resolve })(post('0000'))
    const reader = answer.body?.getReader()
    await reader?.read()
    const pending = reader?.read()
    await sleep(10)
    await reader?.cancel()
    await pending
    expect(ended).toEqual(['ABORTED', 'finally', 'released'])
  })

  it('by the request’s signal does the same', async () => {
    const ended: string[] = []
    const gone = new AbortController()
    const request = new Request(post('0000'), { signal: gone.signal })
    const answer = await handler({ services: endless(ended) })(request)
    const text = answer.text()
    gone.abort()
    expect(await text).toBe('first')
    expect(ended).toEqual(['ABORTED', 'finally'])
  })
})

describe('access', () => {
  it('is what resolve says', async () => {
    const answers: [Resolution, number][] = [
      [{ kind: 'not-found' }, 404],
      [{ kind: 'forbidden', message: 'not you' }, 403],
      [{ kind: 'unauthorized', realm: 'packstone "x"' }, 401],
      [{ ...found, access: { upload: false, receive: true } }, 403],
    ]
    for (const [resolution, status] of answers) {
      const answer = await handler({ resolve: () => resolution })(get(REFS))
      expect(answer.status).toBe(status)
      expect((await answer.text()).split('\n')).toHaveLength(2)
      if (status === 401) {
        expect(answer.headers.get('www-authenticate')).toBe(
          'Basic realm="packstone \\"x\\"", charset="UTF-8"',
        )
      }
    }
    const readOnly: Resolution = { ...found, access: { upload: true, receive: false } }
    const push = await handler({ resolve: () => readOnly })(post('0000', {}, 'git-receive-pack'))
    expect([push.status, await push.text()]).toEqual([403, "service not enabled: 'git-receive-pack'\n"])
  })

  it('is asked for with path, request and service', async () => {
    const asked: unknown[] = []
    const handle = handler({
      resolve: (path, request, service) => {
        asked.push([path, request.headers.get('authorization'), service])
        return { kind: 'not-found' }
      },
    })
    await handle(get('/x/y.git/info/refs?service=git-receive-pack', { Authorization: 'Basic eA==' }))
    expect(asked).toEqual([['x/y.git', 'Basic eA==', 'git-receive-pack']])
  })

  it('gives the repository back exactly once, however the request ends', async () => {
    let released = 0
    const resolve = (): Resolution => ({ ...found, release: () => released++ })
    const failing: GitServices = {
      ...echoServices(),
      uploadPack() {
        throw new Error('no')
      },
    }
    const ends: (() => Promise<unknown>)[] = [
      async () => (await handler({ resolve })(post('0000'))).text(),
      async () => (await handler({ resolve })(post('0000'))).body?.cancel(),
      () => handler({ resolve })(post('0000', { 'Content-Type': 'x/y' })),
      () => handler({ resolve, services: failing })(post('0000')),
    ]
    for (const end of ends) {
      released = 0
      await end()
      expect(released).toBe(1)
    }
  })

  it('that cannot be decided is an error answer', async () => {
    const answer = await handler({ resolve: () => Promise.reject(new Error('no')) })(get(REFS))
    expect(answer.status).toBe(500)
  })
})

describe('other requests', () => {
  it('are refused in one line', async () => {
    const wrongMethod = await handler()(get('/a.git/git-upload-pack'))
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST'])
    const dumb = await handler()(get('/a.git/info/refs'))
    expect([dumb.status, await dumb.text()]).toEqual([
      403,
      'this server speaks the smart HTTP protocol only; use a Git client of version 1.6.6 or later\n',
    ])
    expect((await handler()(get('/favicon.ico'))).status).toBe(404)
  })
})

it('a handler with a limit of nothing is refused when it is made', () => {
  expect(() => handler({ maxInflatedBytes: 0 })).toThrow(/maxInflatedBytes/)
})
