import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { GitError } from '../../errors.ts'
import { createNodeListener, type FetchHandler, type NodeListenerOptions } from './node-listener.ts'

export interface ServeOptions extends NodeListenerOptions {
  readonly handler: FetchHandler
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string
  /** Port to listen on. Default 0: any free one. */
  readonly port?: number
}

/** A server that listens. */
export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /**
   * Stops: takes no new connections, lets running requests finish, and cuts what is not over after `graceMs`
   * milliseconds (default 10 000). Resolves when every connection is closed. A further call may shorten the grace.
   */
  close(graceMs?: number): Promise<void>
}

/** How long an idle connection is kept for the client's next request, in milliseconds. */
const KEEP_ALIVE_MS = 75_000

/**
 * Starts an HTTP server with a web handler.
 *
 * @throws GitError `INVALID_ARGUMENT` for a port out of range, `STORAGE` when the address cannot be listened on.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { handler, host = '127.0.0.1', port = 0 } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new GitError('INVALID_ARGUMENT', `port must be a whole number from 0 to 65535, but is ${port}`)
  }
  const listener = createNodeListener(handler, options)
  // Node's own limit on the time of a whole request would cut long pushes; a client that stalls is cut by ours.
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0, noDelay: true })

  let closing: Promise<void> | undefined
  /** How many requests each connection is busy with. */
  const connections = new Map<Socket, number>()
  const count = (socket: Socket, change: number): void => {
    const requests = connections.get(socket)
    if (requests === undefined) return
    connections.set(socket, requests + change)
    if (closing !== undefined && requests + change === 0) socket.destroySoon()
  }
  server.on('connection', (socket) => {
    connections.set(socket, 0)
    socket.once('close', () => connections.delete(socket))
  })
  const take = (message: IncomingMessage, out: ServerResponse, sendContinue: boolean): void => {
    const { socket } = message
    if (closing !== undefined) out.setHeader('Connection', 'close')
    count(socket, 1)
    out.once('close', () => {
      count(socket, -1)
    })
    listener(message, out, sendContinue)
  }
  server.on('request', (message, out) => {
    take(message, out, false)
  })
  server.on('checkContinue', (message, out) => {
    take(message, out, true)
  })

  const address = await listen(server, host, port)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    close(graceMs = 10_000) {
      closing ??= stop(server)
      // Node itself does not count a connection that has not sent anything yet as idle.
      for (const socket of connections.keys()) count(socket, 0)
      const timer = setTimeout(() => {
        server.closeAllConnections()
      }, graceMs)
      return closing.finally(() => {
        clearTimeout(timer)
      })
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new GitError('STORAGE', `cannot listen on ${host}, port ${port}: ${cause.message}`, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address)
      else reject(new GitError('STORAGE', `no port was given for ${host}`))
    })
  })
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
  })
}
