import { connect, type Socket } from 'node:net'
import { request as nodeRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import {
  serve,
  type FetchHandler,
  type RequestRecord,
  type RunningServer,
  type ServeOptions,
} from '../../src/hosts/node/index.ts'

const running: RunningServer[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(0)))
})

async function start(handler: FetchHandler, options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  const server = await serve({ handler, ...options })
  running.push(server)
  return server
}

async function open(server: RunningServer): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Everything that arrives until the other side ends, or until the text matches. */
async function receive(socket: Socket, until?: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (until?.test(text) === true) break
  }
  return text
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((given) => {
    resolve = given
  })
  return { promise, resolve }
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

describe('a request', () => {
  it('arrives with method, address, headers and body', async () => {
    const server = await start(async (request) => {
      const body = await request.text()
      return Response.json([request.method, request.url, request.headers.get('git-protocol'), body])
    })
    const answer = await fetch(`${server.url}/a/b?c=d`, {
      method: 'POST',
      body: 'hello',
      headers: { 'Git-Protocol': 'version=2' },
    })
    expect(await answer.json()).toEqual(['POST', `${server.url}/a/b?c=d`, 'version=2', 'hello'])
  })

  it('whose target begins with two slashes does not name another host', async () => {
    const server = await start((request) => new Response(new URL(request.url).host))
    const socket = await open(server)
    socket.write(
      `GET //evil.example/x HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`,
    )
    expect(await receive(socket)).toContain(`127.0.0.1:${server.port}`)
  })

  it('that the web types refuse is answered with 400 and does not reach the handler', async () => {
    let calls = 0
    const server = await start(() => {
      calls++
      return new Response('')
    })
    const socket = await open(server)
    socket.write('TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    expect(await receive(socket)).toMatch(/^HTTP\/1\.1 400 /)
    const other = await open(server)
    other.write('GET / HTTP/1.1\r\nHost: a b/\r\nConnection: close\r\n\r\n')
    expect(await receive(other)).toMatch(/^HTTP\/1\.1 400 /)
    expect(calls).toBe(0)
  })

  it('with a body that comes in chunks is read to its end, and the connection serves the next one', async () => {
    const server = await start(async (request) => new Response(String((await request.bytes()).length)))
    const socket = await open(server)
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
    socket.write(`${head}4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n`)
    expect(await receive(socket, /\r\n6\r\n0\r\n\r\n$/)).toContain('200 OK')
    socket.write(`${head}1\r\na\r\n0\r\n\r\n`)
    expect(await receive(socket, /\r\n1\r\n0\r\n\r\n$/)).toContain('200 OK')
    socket.destroy()
  })

  it('is logged when it is over', async () => {
    const records: RequestRecord[] = []
    const server = await start(() => new Response('12345', { status: 201 }), {
      onRequest: (record) => records.push(record),
    })
    await (await fetch(`${server.url}/x?y`)).text()
    await waitFor(() => records.length > 0)
    expect(records).toMatchObject([{ method: 'GET', target: '/x?y', status: 201, bytes: 5, complete: true }])
    expect(records[0]?.milliseconds).toBeGreaterThan(0)
  })
})

describe('back-pressure', () => {
  const PIECE = 64 * 1024
  const TOTAL = 64 * 1024 * 1024

  it('holds a large answer back while the client does not read, and delivers all of it afterwards', async () => {
    let made = 0
    let longest = 0
    let taken = 0
    const server = await start(
      () =>
        new Response(
          new ReadableStream<Uint8Array>(
            {
              pull(controller) {
                if (made === TOTAL) {
                  controller.close()
                  return
                }
                made += PIECE
                longest = Math.max(longest, made - taken)
                controller.enqueue(new Uint8Array(PIECE))
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    )
    const [answer] = (await once(nodeRequest(server.url).end(), 'response')) as [IncomingMessage]
    let before = -1
    while (made !== before) {
      before = made
      await sleep(100)
    }
    // What is made but not read sits in the buffers of two sockets, not in this process.
    expect(made).toBeLessThan(TOTAL / 4)
    for await (const chunk of answer as AsyncIterable<Uint8Array>) taken += chunk.length
    expect(taken).toBe(TOTAL)
    expect(longest).toBeLessThan(TOTAL / 4)
  })

  it('holds a large upload back while the handler does not read, and takes all of it afterwards', async () => {
    const go = deferred<undefined>()
    const server = await start(async (request) => {
      const reader = request.body?.getReader()
      let size = (await reader?.read())?.value?.length ?? 0
      await go.promise
      for (;;) {
        const step = await reader?.read()
        if (step?.value === undefined) return new Response(String(size))
        size += step.value.length
      }
    })
    const upload = nodeRequest(server.url, { method: 'POST' })
    let sent = 0
    const sending = (async () => {
      for (; sent < TOTAL; sent += PIECE) {
        if (!upload.write(new Uint8Array(PIECE))) await once(upload, 'drain')
      }
      upload.end()
    })()
    let before = -1
    while (sent !== before) {
      before = sent
      await sleep(100)
    }
    expect(sent).toBeLessThan(TOTAL / 4)
    go.resolve(undefined)
    const [answer] = (await once(upload, 'response')) as [IncomingMessage]
    await sending
    expect(Number((await answer.toArray()).join(''))).toBe(TOTAL)
  })

  it('echoes a large body while holding little of it', async () => {
    let inside = 0
    let most = 0
    const server = await start(
      (request) =>
        new Response(
          request.body?.pipeThrough(
            new TransformStream<Uint8Array, Uint8Array>({
              transform(piece, controller) {
                inside += piece.length
                most = Math.max(most, inside)
                controller.enqueue(piece)
              },
            }),
          ),
        ),
    )
    const upload = nodeRequest(server.url, { method: 'POST' })
    void (async () => {
      for (let sent = 0; sent < TOTAL; sent += PIECE) {
        if (!upload.write(new Uint8Array(PIECE))) await once(upload, 'drain')
      }
      upload.end()
    })()
    const [answer] = (await once(upload, 'response')) as [IncomingMessage]
    let received = 0
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      received += chunk.length
      inside -= chunk.length
    }
    expect(received).toBe(TOTAL)
    expect(most).toBeLessThan(TOTAL / 4)
  })
})

describe('a client that goes away', () => {
  it('aborts the signal and cancels the body of its answer', async () => {
    const cancelled = deferred<boolean>()
    const server = await start(
      (request) =>
        new Response(
          new ReadableStream<Uint8Array>({
            start(controller) {
              controller.enqueue(new Uint8Array(10))
            },
            async cancel() {
              await sleep(20)
              cancelled.resolve(request.signal.aborted)
            },
          }),
        ),
    )
    const socket = await open(server)
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await receive(socket, /200 OK/)
    socket.destroy()
    expect(await cancelled.promise).toBe(true)
  })

  it('makes the reading of its body fail with ABORTED', async () => {
    const entered = deferred<undefined>()
    const failure = deferred<unknown>()
    const server = await start(async (request) => {
      const text = request.text()
      entered.resolve(undefined)
      await text.catch(failure.resolve)
      return new Response('nobody reads this')
    })
    const socket = await open(server)
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc')
    await entered.promise
    socket.destroy()
    expect(await failure.promise).toMatchObject({ code: 'ABORTED' })
  })

  it('is taken for gone when it sends nothing for the stall time while its body is read', async () => {
    const failure = deferred<unknown>()
    const server = await start(
      async (request) => {
        await request.text().catch(failure.resolve)
        return new Response('')
      },
      { stallTimeout: 100 },
    )
    const socket = await open(server)
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc')
    await once(socket, 'close')
    expect(await failure.promise).toMatchObject({ code: 'ABORTED' })
  })

  it('is not taken for gone while the server itself takes its time', async () => {
    const server = await start(
      async () => {
        await sleep(400)
        return new Response('late')
      },
      { stallTimeout: 50 },
    )
    expect(await (await fetch(server.url)).text()).toBe('late')
  })
})

describe('Expect: 100-continue', () => {
  const head =
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\n\r\n'

  it('is answered when the handler reads the body', async () => {
    const server = await start(async (request) => new Response(await request.text()))
    const socket = await open(server)
    socket.write(head)
    expect(await receive(socket, /\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('hello')
    expect(await receive(socket, /hello/)).toContain('200 OK')
    socket.destroy()
  })

  it('is not answered to a request that is refused, and the connection ends', async () => {
    const server = await start(() => new Response('no', { status: 401 }))
    const socket = await open(server)
    socket.write(head)
    const text = await receive(socket)
    expect(text).toMatch(/^HTTP\/1\.1 401 /)
    expect(text).toMatch(/Connection: close/i)
  })
})

describe('an answer', () => {
  it('whose body fails half-way ends in a broken connection, not in a short success', async () => {
    const errors: unknown[] = []
    const server = await start(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              controller.enqueue(new Uint8Array(3))
              controller.error(new Error('half-way'))
            },
          }),
        ),
      { onError: (error) => errors.push(error) },
    )
    await expect(fetch(server.url).then((answer) => answer.text())).rejects.toThrow()
    expect(errors).toMatchObject([{ message: 'half-way' }])
  })

  it('is a 500 when the handler throws', async () => {
    const server = await start(() => Promise.reject(new Error('secret')))
    const answer = await fetch(server.url)
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
  })

  it('to HEAD has the headers, and no body is asked for', async () => {
    let cancelled = false
    const server = await start(
      () =>
        new Response(
          new ReadableStream<Uint8Array>(
            {
              pull: () => expect.fail('the body was read'),
              cancel() {
                cancelled = true
              },
            },
            { highWaterMark: 0 },
          ),
          { headers: { 'X-Test': 'yes' } },
        ),
    )
    const answer = await fetch(server.url, { method: 'HEAD' })
    expect(answer.headers.get('x-test')).toBe('yes')
    expect(cancelled).toBe(true)
  })

  it('keeps several cookies apart', async () => {
    const headers = new Headers([
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ])
    const server = await start(() => new Response('', { headers }))
    expect((await fetch(server.url)).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  it('to a request whose large body was not read arrives, and the connection serves the next one', async () => {
    const server = await start((request) => new Response(request.method, { status: 403 }))
    const socket = await open(server)
    const size = 4 * 1024 * 1024
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write(new Uint8Array(size))
    expect(await receive(socket, /POST\r\n0\r\n\r\n$/)).toContain('403')
    socket.write('DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(await receive(socket, /DELETE\r\n0\r\n\r\n$/)).toContain('403')
    socket.destroy()
  })

  it('to a request whose body was read in part arrives, and the connection serves the next one', async () => {
    const server = await start(async (request) => {
      const reader = request.body?.getReader()
      await reader?.read()
      return new Response(request.method)
    })
    const socket = await open(server)
    const size = 4 * 1024 * 1024
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write(new Uint8Array(size))
    await receive(socket, /POST\r\n0\r\n\r\n$/)
    socket.write('DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(await receive(socket, /DELETE\r\n0\r\n\r\n$/)).toContain('200')
    socket.destroy()
  })

  it('to a request whose body never ends is followed by the end of the connection', async () => {
    const server = await start(() => new Response('no', { status: 403 }), { drainTimeout: 50 })
    const socket = await open(server)
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc')
    expect(await receive(socket)).toContain('403')
  })
})

describe('closing', () => {
  it('lets a running request finish, refuses new connections and ends idle ones', async () => {
    const go = deferred<undefined>()
    const entered = deferred<undefined>()
    const server = await start(async () => {
      entered.resolve(undefined)
      await go.promise
      return new Response('done')
    })
    const idle = await open(server)
    const answer = fetch(server.url).then((response) => response.text())
    await entered.promise
    const closed = server.close()
    await once(idle, 'close')
    await expect(fetch(server.url)).rejects.toThrow()
    go.resolve(undefined)
    expect(await answer).toBe('done')
    await closed
  })

  it('cuts what is not over when the grace time is', async () => {
    const entered = deferred<undefined>()
    const server = await start(
      (request) =>
        new Promise((resolve) => {
          request.signal.addEventListener('abort', () => {
            resolve(new Response(''))
          })
          entered.resolve(undefined)
        }),
    )
    const answer = fetch(server.url)
    await entered.promise
    await server.close(50)
    await expect(answer).rejects.toThrow()
  })
})

it('a port that is taken, or none at all, is refused with a clear error', async () => {
  const server = await start(() => new Response(''))
  await expect(serve({ handler: () => new Response(''), port: server.port })).rejects.toMatchObject({
    code: 'STORAGE',
  })
  await expect(serve({ handler: () => new Response(''), port: 70_000 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})
