import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { git as runGit, gitBytes } from '../../test/support/git.ts'
import { FLUSH, pktLine } from '../../test/support/raw-http.ts'
import { encodeFetch, runFetch } from '../fetch-request.ts'
import { HttpClient } from '../http-client.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { copyRepository } from '../layouts.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import {
  startGitServer,
  startPackstoneServer,
  timeServer,
  untilDescribed,
  type RunningServer,
} from '../servers.ts'
import { PROVIDERS, TARGETS } from '../targets.ts'

const PATIENCE = 180_000
/** Pushes that are not counted. */
const WARM_UPS = 10
const HEADERS = { 'content-type': 'application/x-git-receive-pack-request' }

/** A push of one commit that changes one file, to a repository of each server's own; the POST only. */
export const pushJob: CorpusJob = {
  kind: 'corpus',
  name: 'push',
  describe: 'take a push of one commit over HTTP',
  corpora: ['source-large', 'tiny-files'],
  run: runPush,
}

async function runPush(context: JobContext): Promise<Row[]> {
  const { corpus, scratch, cores, measuring, smoke } = context
  const warmUps = smoke ? 0 : WARM_UPS
  // One for the round that is not counted, and one per round.
  const requests = await preparePushes(context, warmUps + measuring.rounds + 1)
  const client = new HttpClient()
  const servers: RunningServer[] = []
  try {
    const paths = ['git', ...PROVIDERS].map((name) => join(scratch, `${name}.git`))
    for (const path of paths) await copyRepository(corpus, path)
    const tip = await runGit(['rev-parse', 'HEAD'], { cwd: corpus.repository })
    servers.push(await startGitServer(scratch, cores))
    for (const [at, provider] of PROVIDERS.entries()) {
      const server = await startPackstoneServer(scratch, provider, cores)
      servers.push(server)
      const path = paths[at + 1] ?? ''
      await runFetch(client, `${server.url}/${basename(path)}`, encodeFetch([tip], []))
      await untilDescribed(path, PATIENCE)
    }
    const contenders = servers.map((server, at): Contender => {
      let next = 0
      return {
        name: at === 0 ? 'git http-backend' : 'packstone serve',
        conditions:
          at === 0 ? 'one process per request' : `warm, ${PROVIDERS[at - 1] ?? ''}, collision detection`,
        run: () => {
          const body = requests[next++]
          if (body === undefined) throw new Error('there are not enough pushes')
          return timeServer(server, () => push(client, `${server.url}/${basename(paths[at] ?? '')}`, body))
        },
      }
    })
    for (const contender of contenders) for (let count = 0; count < warmUps; count++) await contender.run()
    const series = await measure(contenders, measuring)
    const [baseline, ...ours] = series
    if (baseline === undefined) return []
    return [
      baselineRow('push 1 commit', corpus.name, baseline),
      ...ours.map(({ contender }, at) => {
        const time = TARGETS.push[PROVIDERS[at] ?? 'node']
        return compare('push 1 commit', corpus.name, seriesOf(series, contender), baseline, { time })
      }),
    ]
  } finally {
    client.close()
    await Promise.all(servers.map((server) => server.close()))
  }
}

async function push(client: HttpClient, repositoryUrl: string, body: Buffer): Promise<number> {
  const answer = await client.post(`${repositoryUrl}/git-receive-pack`, HEADERS, body)
  const text = answer.head.toString('latin1')
  if (!text.includes('unpack ok') || !text.includes('ok refs/'))
    throw new Error(`the push was refused: ${text}`)
  return body.length
}

/** The bodies of so many pushes, each of one commit on top of the one before. */
async function preparePushes({ corpus, scratch }: JobContext, count: number): Promise<Buffer[]> {
  const work = join(scratch, 'commits.git')
  await runGit(['clone', '--quiet', '--bare', '--shared', corpus.repository, work])
  const run = (args: readonly string[], input?: string | Buffer): Promise<string> =>
    runGit(args, {
      cwd: work,
      env: { GIT_INDEX_FILE: join(scratch, 'commits.index') },
      ...(input === undefined ? {} : { input }),
    })
  const ref = await run(['symbolic-ref', 'HEAD'])
  let tip = await run(['rev-parse', 'HEAD'])
  await run(['read-tree', tip])
  const path = await deepestFile(work)
  const content = await gitBytes(['show', `HEAD:${path}`], { cwd: work })
  const requests: Buffer[] = []
  for (let at = 0; at < count; at++) {
    const changed = Buffer.concat([content, Buffer.from(`changed ${at} times\n`)])
    const blob = await run(['hash-object', '-w', '--stdin'], changed)
    await run(['update-index', '--cacheinfo', `100644,${blob},${path}`])
    const commit = await run([...['commit-tree', '-p', tip, '-m', `Change ${at}`, await run(['write-tree'])]])
    const pack = await gitBytes(
      ['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q'],
      { cwd: work, input: `${commit}\n^${tip}\n` },
    )
    const command = pktLine(`${tip} ${commit} ${ref}\0 report-status ofs-delta agent=packstone-bench`)
    requests.push(Buffer.concat([command, FLUSH, pack]))
    tip = commit
  }
  await rm(work, { recursive: true, force: true })
  return requests
}

/** The file that lies deepest: changing it makes the most trees. */
async function deepestFile(repository: string): Promise<string> {
  const list = await gitBytes(['ls-tree', '-r', '-z', 'HEAD'], { cwd: repository })
  const blobs = list
    .toString()
    .split('\0')
    .filter((line) => line.startsWith('100644 '))
  const paths = blobs.map((line) => line.slice(line.indexOf('\t') + 1))
  return paths.reduce((best, path) => (depthOf(path) > depthOf(best) ? path : best), paths[0] ?? '')
}

function depthOf(path: string): number {
  return path.split('/').length
}
