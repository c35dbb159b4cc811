import { rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { gitLines } from '../test/support/git.ts'
import { DELIM, FLUSH, pktLine } from '../test/support/raw-http.ts'
import { startGitHttpBackend } from '../test/support/servers/git-http-backend.ts'
import type { GitServer } from '../test/support/servers/git-server.ts'
import { startPackstone } from '../test/support/servers/packstone.ts'
import { runCommand } from './command.ts'
import type { Corpus } from './corpus.ts'
import { measure, type Contender, type Measurement } from './measure.ts'

/**
 * A full clone over HTTP on this machine, in two forms: the answer to the one `fetch` request, read and thrown away, which is what
 * the server does; and `git clone --bare` to its end, most of which is the client's own work.
 */
export async function benchClone(corpus: Corpus, folder: string, rounds: number): Promise<Measurement[]> {
  const directory = dirname(corpus.repository)
  const servers = [await startGitHttpBackend(directory), await startPackstone(directory)]
  try {
    const request = await encodeFetchRequest(corpus)
    const answers = servers.map((server): Contender => ({
      name: server.name,
      run: () => readAnswer(repositoryUrl(server, corpus), request),
    }))
    const clones = servers.map((server): Contender => ({
      name: server.name,
      run: async () => {
        const path = join(folder, 'clone.git')
        await rm(path, { recursive: true, force: true })
        await runCommand('git', ['clone', '--quiet', '--bare', repositoryUrl(server, corpus), path])
        return 0
      },
    }))
    return [
      ...(await measure('clone, server only', corpus.name, answers, rounds)),
      ...(await measure('git clone --bare', corpus.name, clones, rounds)),
    ]
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
}

function repositoryUrl(server: GitServer, corpus: Corpus): string {
  return `${server.url}/${basename(corpus.repository)}`
}

/** The protocol v2 request of a client that wants all and has nothing. */
async function encodeFetchRequest(corpus: Corpus): Promise<Buffer> {
  const ids = new Set(await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: corpus.repository }))
  const wants = [...ids].map((id) => pktLine(`want ${id}\n`))
  const args = [pktLine('ofs-delta\n'), pktLine('no-progress\n'), ...wants, pktLine('done\n')]
  return Buffer.concat([pktLine('command=fetch\n'), DELIM, ...args, FLUSH])
}

async function readAnswer(url: string, request: Buffer): Promise<number> {
  const response = await fetch(`${url}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request', 'git-protocol': 'version=2' },
    body: new Uint8Array(request),
  })
  if (!response.ok || response.body === null)
    throw new Error(`${url} answered with status ${response.status}`)
  let bytes = 0
  let tail = Buffer.alloc(0)
  for await (const chunk of response.body) {
    bytes += chunk.length
    tail = Buffer.from(chunk.subarray(Math.max(0, chunk.length - 4)))
  }
  // A pack that ends without the flush was cut off by a failure.
  if (tail.toString() !== '0000' || bytes < 100) throw new Error(`${url} did not send a whole pack`)
  return bytes
}
