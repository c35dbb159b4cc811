import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gitEnvironment } from '../git.ts'
import type { GitServer } from './git-server.ts'

/** Starts git's own server, `git http-backend`, as a CGI program behind node:http: the oracle. */
export async function startGitHttpBackend(directory: string): Promise<GitServer> {
  let log = ''
  const append = (text: string): void => {
    log += text
  }
  const server = createServer((request, response) => {
    runCgi(directory, request, response, append)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    name: 'git http-backend',
    url: `http://127.0.0.1:${port}`,
    readLog: () => log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function runCgi(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
  log: (text: string) => void,
): void {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const { headers } = request
  const env: Record<string, string> = {
    ...gitEnvironment(),
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    SERVER_PROTOCOL: 'HTTP/1.1',
    CONTENT_TYPE: headers['content-type'] ?? '',
  }
  if (headers['content-length'] !== undefined) env['CONTENT_LENGTH'] = headers['content-length']
  if (headers['content-encoding'] !== undefined) env['HTTP_CONTENT_ENCODING'] = headers['content-encoding']
  const protocol = headers['git-protocol']
  if (typeof protocol === 'string') env['GIT_PROTOCOL'] = protocol

  const child = spawn('git', ['http-backend'], { env })
  child.stderr.on('data', (chunk: Buffer) => {
    log(chunk.toString('latin1'))
  })
  // Either side may go away first; git then ends by itself.
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  response.on('close', () => {
    child.stdin.destroy()
    child.stdout.destroy()
  })

  let head: Buffer | undefined = Buffer.alloc(0)
  child.stdout.on('data', (chunk: Buffer) => {
    if (head === undefined) {
      if (!response.write(chunk)) {
        child.stdout.pause()
        response.once('drain', () => child.stdout.resume())
      }
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    writeCgiHead(response, head.subarray(0, end).toString('latin1'))
    response.write(head.subarray(end + 4))
    head = undefined
  })
  child.stdout.on('end', () => {
    if (head !== undefined) response.statusCode = 500
    response.end()
  })
}

function writeCgiHead(response: ServerResponse, text: string): void {
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') response.statusCode = Number(value.split(' ')[0])
    else response.setHeader(name, value)
  }
}
