import { createReadStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { git } from '../../test/support/git.ts'
import { writeLargePack, type LargePack } from '../../test/support/large-pack.ts'
import { FLUSH, pktLine } from '../../test/support/raw-http.ts'
import { packstoneCommand } from '../../test/support/servers/packstone.ts'
import { encodeFetch, V2_HEADERS } from '../fetch-request.ts'
import { HttpClient } from '../http-client.ts'
import type { StandaloneJob, Surroundings } from '../job.ts'
import { programPath } from '../program-path.ts'
import { figureOf, type Figure, type Row } from '../row.ts'
import { startPackstoneServer } from '../servers.ts'
import { TARGETS } from '../targets.ts'
import { timeProcess } from '../timed-process.ts'

const MEGABYTE = 1_000_000
/** `--memory-budget` of the command and of the server, in MiB. */
const BUDGET = 64

/** A pack of 1 GB with 500 000 objects within little memory: indexed by the command; pushed to a server and cloned from it. */
export const memoryWindowedJob: StandaloneJob = {
  kind: 'standalone',
  name: 'memory-windowed',
  describe:
    'peak resident memory for a pack of 1 GB: index it; push it to a server, then clone it (needs 4 GB of disk)',
  run: runMemoryWindowed,
}

async function runMemoryWindowed(context: Surroundings): Promise<Row[]> {
  const commits = context.smoke ? 2 : 2750
  const large = await writeLargePack(join(context.scratch, 'large.pack'), { commits, fileBytes: 2500 })
  return [await indexRow(context, large), ...(await serverRows(context, large))]
}

function rowOf(large: LargePack, who: string, what: string, figure: Figure): Row {
  const pack = `${(large.bytes / MEGABYTE).toFixed(0)} MB, ${large.objectCount} objects`
  const conditions = `${what}, node, --memory-budget ${BUDGET}, pack of ${pack}`
  return { job: 'peak memory, windowed', corpus: '', who, conditions, figures: [figure], rounds: 1 }
}

async function indexRow({ scratch, cores }: Surroundings, large: LargePack): Promise<Row> {
  const out = join(scratch, 'large.idx')
  const report = join(scratch, 'memory')
  const node = [process.execPath, '--import', pathToFileURL(programPath('report-memory')).href]
  const command = ['index-pack', '--quiet', '--memory-budget', String(BUDGET), '--out', out, large.path]
  const options = { core: cores.measured, env: { BENCH_MEMORY_REPORT: report } }
  const { milliseconds } = await timeProcess([...node, packstoneCommand(), ...command], options)
  const theirs = join(scratch, 'large-git.idx')
  await git(['index-pack', '-o', theirs, large.path], { timeout: 3_600_000 })
  if (!(await readFile(out)).equals(await readFile(theirs)))
    throw new Error('the index is not the one that git makes')
  const peak = Number(await readFile(report, 'utf8')) / MEGABYTE
  const figure = figureOf('memory', [peak], TARGETS.windowedMegabytes)
  return { ...rowOf(large, 'packstone index-pack', 'cold process', figure), milliseconds }
}

async function serverRows({ scratch, cores }: Surroundings, large: LargePack): Promise<Row[]> {
  const directory = join(scratch, 'served')
  await mkdir(directory)
  await git(['init', '--quiet', '--bare', join(directory, 'large.git')])
  const server = await startPackstoneServer(directory, 'node', cores, ['--memory-budget', String(BUDGET)])
  const client = new HttpClient()
  try {
    const url = `${server.url}/large.git`
    const begun = performance.now()
    await pushFile(url, large)
    const pushed = performance.now()
    const afterPush = await server.peakBytes()
    const body = encodeFetch([large.tip], [])
    const answer = await client.post(`${url}/git-upload-pack`, V2_HEADERS, body)
    const cloned = performance.now()
    const afterClone = await server.peakBytes()
    if (answer.bytes < large.bytes) throw new Error(`the clone has only ${answer.bytes} bytes`)
    const memory = (bytes: number): Figure =>
      figureOf('memory', [bytes / MEGABYTE], TARGETS.windowedMegabytes)
    const delay = figureOf('delay', [answer.packAfter ?? Number.NaN], TARGETS.firstByteMilliseconds)
    const who = 'packstone serve'
    return [
      { ...rowOf(large, who, 'push', memory(afterPush)), milliseconds: pushed - begun },
      { ...rowOf(large, who, 'push, then clone', memory(afterClone)), milliseconds: cloned - pushed },
      rowOf(large, who, 'first byte of the pack of that clone', delay),
    ]
  } finally {
    client.close()
    await server.close()
  }
}

/** Pushes a pack file as the new branch `main`. */
function pushFile(repositoryUrl: string, { path, tip }: LargePack): Promise<void> {
  const line = `${'0'.repeat(40)} ${tip} refs/heads/main\0 report-status ofs-delta agent=packstone-bench`
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-git-receive-pack-request' }
    const outgoing = request(`${repositoryUrl}/git-receive-pack`, { method: 'POST', headers })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
      response.on('error', reject)
      response.on('end', () => {
        if (text.includes('unpack ok') && text.includes('ok refs/heads/main')) resolve()
        else reject(new Error(`the push was refused: ${text.slice(0, 500)}`))
      })
    })
    outgoing.write(Buffer.concat([pktLine(line), FLUSH]))
    createReadStream(path, { highWaterMark: 1 << 18 })
      .on('error', reject)
      .pipe(outgoing)
  })
}
