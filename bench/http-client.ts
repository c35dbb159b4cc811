import { connect, type Socket } from 'node:net'
import { AnswerReader, type Answer } from './answer-reader.ts'

export type { Answer } from './answer-reader.ts'

/** What is read at once, into the same memory every time. */
const READ_BYTES = 1 << 20

/** A connection, and the request that it is busy with. */
interface Connection {
  readonly socket: Socket
  /** Whether it has answered a request before. */
  used: boolean
  request:
    { readonly reader: AnswerReader; resolve(answer: Answer): void; reject(error: Error): void } | undefined
}

/**
 * A client that keeps its connections and throws away what it gets. As little as possible in it is measured with the server: it reads into
 * memory that it has, and makes no streams.
 */
export class HttpClient {
  readonly #connections = new Map<string, Connection>()

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send('GET', url, headers, undefined)
  }

  post(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<Answer> {
    return this.#send('POST', url, headers, body)
  }

  close(): void {
    for (const { socket } of this.#connections.values()) socket.destroy()
  }

  async #send(
    method: string,
    address: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | undefined,
  ): Promise<Answer> {
    const url = new URL(address)
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const lines = Object.entries({ host: url.host, ...headers, ...length })
    const head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    const bytes = Buffer.concat([Buffer.from(head), body ?? new Uint8Array(0)])
    const answer = await this.#exchange(url, bytes)
    if (answer.status === 200) return answer
    throw new Error(`${method} ${address} was answered with ${answer.status}`)
  }

  async #exchange(url: URL, bytes: Buffer): Promise<Answer> {
    const connection = this.#connections.get(url.host) ?? this.#connect(url)
    if (connection.request !== undefined) throw new Error('this client sends one request at a time')
    const { used } = connection
    const reader = new AnswerReader()
    try {
      return await new Promise<Answer>((resolve, reject) => {
        connection.request = { reader, resolve, reject }
        connection.socket.write(bytes)
      })
    } catch (error) {
      // The server ended a connection that nobody had used for some seconds, just when this request began.
      if (used && reader.isUntouched) return await this.#exchange(url, bytes)
      throw error
    }
  }

  #connect({ host, hostname, port }: URL): Connection {
    const take = (piece: Buffer): void => {
      const { request } = connection
      const answer = request?.reader.take(piece)
      if (answer === undefined) return
      connection.used = true
      connection.request = undefined
      request?.resolve(answer)
    }
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (length, buffer) => {
          take(Buffer.from(buffer.buffer, buffer.byteOffset, length))
          return true
        },
      },
    })
    const connection: Connection = { socket, used: false, request: undefined }
    this.#connections.set(host, connection)
    let failure = new Error(`the connection to ${host} ended within an answer`)
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      if (this.#connections.get(host) === connection) this.#connections.delete(host)
      connection.request?.reject(failure)
    })
    return connection
  }
}
