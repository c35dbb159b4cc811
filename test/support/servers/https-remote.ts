import { readFileSync } from 'node:fs'
import { request as requestHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startGitHttpBackend } from './git-http-backend.ts'

const TLS = join(import.meta.dirname, '../../../fixtures/tls')

/** What happens to a request instead of being answered by git; false to let git answer. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean

/** A Git server over HTTPS with an authority of its own: git's, behind a proxy that a test can make misbehave. */
export interface HttpsRemote {
  /** `https://localhost:<port>`, without a slash at the end. */
  readonly url: string
  /** The same over plain HTTP, straight to git's server. */
  readonly httpUrl: string
  /** The certificate of its authority. */
  readonly ca: string
  readonly port: number
  interfere: Interference | undefined
  /** How many bytes of an answer to a POST get through before the connection is cut; `undefined` for all. */
  cutAfter: number | undefined
  close(): Promise<void>
}

export async function startHttpsRemote(directory: string): Promise<HttpsRemote> {
  const backend = await startGitHttpBackend(directory)
  const key = readFileSync(join(TLS, 'server-key.pem'))
  const cert = readFileSync(join(TLS, 'server.pem'))
  const server = createServer({ key, cert }, (request, response) => {
    if (remote.interfere?.(request, response) === true) return
    const { method, headers, url = '/' } = request
    const forwarded = requestHttp(`${backend.url}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      let sent = 0
      answer.on('data', (chunk: Buffer) => {
        const rest = method === 'POST' ? (remote.cutAfter ?? Infinity) - sent : Infinity
        sent += chunk.length
        response.write(chunk.subarray(0, rest))
        if (sent > rest) setImmediate(() => response.destroy())
      })
      answer.on('end', () => response.end())
      answer.on('error', () => response.destroy())
    })
    forwarded.on('error', () => response.destroy())
    request.pipe(forwarded)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const remote: HttpsRemote = {
    url: `https://localhost:${port}`,
    httpUrl: backend.url,
    ca: readFileSync(join(TLS, 'authority.pem'), 'utf8'),
    port,
    interfere: undefined,
    cutAfter: undefined,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await backend.close()
    },
  }
  return remote
}
