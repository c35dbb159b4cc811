import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import type { LargePack } from './large-pack.ts'
import { DELIM, FLUSH, pktLine } from './raw-http.ts'

/** The most memory that a process has ever had in use, in millions of bytes. */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1.024e-3
}

function post(url: string, service: string, headers: Record<string, string>): ReturnType<typeof request> {
  const type = `application/x-${service}-request`
  return request(`${url}/${service}`, { method: 'POST', headers: { 'content-type': type, ...headers } })
}

function answerTo(sending: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sending.once('response', resolve).once('error', reject)
  })
}

/** Pushes a pack file to the branch `main` without ever holding it; resolves with the answer. */
export async function pushLargePack(url: string, pack: LargePack): Promise<string> {
  const sending = post(url, 'git-receive-pack', {})
  const answer = answerTo(sending)
  sending.write(pktLine(`${'0'.repeat(40)} ${pack.tip} refs/heads/main\0report-status\n`))
  sending.write(FLUSH)
  createReadStream(pack.path).pipe(sending)
  const pieces: Buffer[] = []
  for await (const piece of await answer) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('latin1')
}

/** A pack as it came over the wire. */
export interface FetchedPack {
  /** Milliseconds until its first byte. */
  readonly first: number
  readonly bytes: number
  /** The checksum that it ends with. */
  readonly stated: string
  /** The checksum that it has. */
  readonly found: string
}

/** Fetches everything that a commit reaches, without ever holding it. */
export async function fetchLargePack(url: string, tip: string): Promise<FetchedPack> {
  const sending = post(url, 'git-upload-pack', { 'git-protocol': 'version=2' })
  const began = performance.now()
  const answer = answerTo(sending)
  const lines = ['ofs-delta\n', 'no-progress\n', `want ${tip}\n`, 'done\n'].map(pktLine)
  sending.end(Buffer.concat([pktLine('command=fetch\n'), DELIM, ...lines, FLUSH]))
  const hash = createHash('sha1')
  let first = 0
  let bytes = 0
  let tail: Buffer = Buffer.alloc(0)
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of await answer) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    let at = 0
    while (rest.length - at >= 4) {
      const length = Number.parseInt(rest.toString('latin1', at, at + 4), 16)
      if (rest.length - at < length) break
      if (length > 4 && rest[at + 4] === 1) {
        if (first === 0) first = performance.now() - began
        // The last twenty bytes are the checksum over all before them.
        const data = Buffer.concat([tail, rest.subarray(at + 5, at + length)])
        hash.update(data.subarray(0, -20))
        tail = Buffer.from(data.subarray(-20))
        bytes += length - 5
      }
      at += Math.max(length, 4)
    }
    rest = rest.subarray(at)
  }
  return { first, bytes, stated: tail.toString('hex'), found: hash.digest('hex') }
}
