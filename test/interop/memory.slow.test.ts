import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { writeLargePack, type LargePack } from '../support/large-pack.ts'
import { DELIM, FLUSH, pktLine } from '../support/raw-http.ts'
import { startPackstone } from '../support/servers/packstone.ts'

const scratch = useScratch()
const MOST_MEGABYTES = 160

/** The most memory that a process has ever had in use, in millions of bytes. */
async function peakMegabytes(pid: number): Promise<number> {
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

/** Pushes a pack file without ever holding it. */
async function push(url: string, pack: LargePack): Promise<string> {
  const sending = post(url, 'git-receive-pack', {})
  const answer = answerTo(sending)
  sending.write(pktLine(`${'0'.repeat(40)} ${pack.tip} refs/heads/main\0report-status\n`))
  sending.write(FLUSH)
  createReadStream(pack.path).pipe(sending)
  const pieces: Buffer[] = []
  for await (const piece of await answer) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('latin1')
}

/** Fetches everything: when the first byte of the pack came, and the checksum the pack ends with and that it has. */
async function clone(
  url: string,
  tip: string,
): Promise<{ first: number; stated: string; found: string; bytes: number }> {
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

test('a pack of 1 GB and 500 000 objects is pushed and cloned with 160 MB of memory', async () => {
  const root = scratch.fresh('served')
  const repository = join(root, 'large.git')
  await git(['init', '-q', '--bare', repository])
  const pack = await writeLargePack(scratch.fresh('large.pack'), { commits: 2750, fileBytes: 2500 })
  expect(pack.objectCount).toBeGreaterThan(500_000)
  expect(pack.bytes).toBeGreaterThan(950_000_000)

  const args = ['--allow-push', '--quiet', '--memory-budget', '16']
  const server = await startPackstone(root, { args, nodeArgs: ['--max-old-space-size=64'] })
  try {
    const url = `${server.url}/large.git`
    expect(await push(url, pack)).toContain('ok refs/heads/main')
    const afterPush = await peakMegabytes(server.pid)
    const cloned = await clone(url, pack.tip)
    const peak = await peakMegabytes(server.pid)
    console.log(
      `peak memory ${afterPush.toFixed(0)} MB after the push, ${peak.toFixed(0)} MB after the clone; ` +
        `first byte of the clone after ${cloned.first.toFixed(0)} ms`,
    )
    expect(cloned.stated).toBe(cloned.found)
    expect(cloned).toMatchObject({ stated: pack.checksum, bytes: pack.bytes })
    expect(peak).toBeLessThanOrEqual(MOST_MEGABYTES)
  } finally {
    await server.close()
  }

  const packs = join(repository, 'objects', 'pack')
  const index = (await readdir(packs)).find((name) => name.endsWith('.idx'))
  await git(['index-pack', '-o', `${pack.path}.idx`, pack.path])
  const [mine, gits] = await Promise.all([readFile(join(packs, index ?? '')), readFile(`${pack.path}.idx`)])
  expect(Buffer.compare(mine, gits)).toBe(0)
  await rm(pack.path)
})
