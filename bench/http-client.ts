import { Agent, request } from 'node:http'

/** What came back. */
export interface Answer {
  readonly bytes: number
  /** The last bytes of the body. */
  readonly tail: Buffer
  /** The first 64 KiB of the body. */
  readonly head: Buffer
  /** When the first bytes of a pack came, in milliseconds from the request on; undefined when none did within the head. */
  readonly packAfter: number | undefined
}

const HEAD_BYTES = 65536

/** A client that keeps its connection and throws away what it gets: nothing in it should be measured. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send('GET', url, headers, undefined)
  }

  post(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<Answer> {
    return this.#send('POST', url, headers, body)
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | undefined,
  ): Promise<Answer> {
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const start = performance.now()
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, agent: this.#agent, headers: { ...headers, ...length } })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The server ended a connection that nobody had used for some seconds, just when this request began.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET')
          resolve(this.#send(method, url, headers, body))
        else reject(error)
      })
      outgoing.on('response', (response) => {
        let bytes = 0
        let tail: Buffer = Buffer.alloc(0)
        const head: Buffer[] = []
        let packAfter: number | undefined
        response.on('data', (chunk: Buffer) => {
          if (bytes < HEAD_BYTES) {
            head.push(chunk)
            if (chunk.includes('PACK')) packAfter ??= performance.now() - start
          }
          bytes += chunk.length
          tail = chunk.length >= 4 ? chunk.subarray(-4) : Buffer.concat([tail, chunk]).subarray(-4)
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode === 200) resolve({ bytes, tail, head: Buffer.concat(head), packAfter })
          else reject(new Error(`${method} ${url} was answered with ${String(response.statusCode)}`))
        })
      })
      outgoing.end(body)
    })
  }
}
