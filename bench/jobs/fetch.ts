import { git as runGit, gitLines } from '../../test/support/git.ts'
import { encodeFetch, runFetch } from '../fetch-request.ts'
import { HttpClient } from '../http-client.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import {
  startGitServer,
  startPackstoneServer,
  timeServer,
  untilDescribed,
  warmUp,
  type RunningServer,
} from '../servers.ts'
import { PROVIDERS, TARGETS } from '../targets.ts'

const COMMITS = [1, 50, 500]
const PATIENCE = 180_000

/** The answer to a client that has an older commit of the branch and wants the newest: a thin pack. */
export const fetchJob: CorpusJob = {
  kind: 'corpus',
  name: 'fetch',
  describe: 'answer an incremental fetch of 1, 50 and 500 commits over HTTP: time and bytes',
  corpora: ['source-large', 'data-like'],
  run: runFetchJob,
}

async function runFetchJob({ corpus, cores, measuring, smoke }: JobContext): Promise<Row[]> {
  const { repository } = corpus
  const tip = await runGit(['rev-parse', 'HEAD^{commit}'], { cwd: repository })
  const client = new HttpClient()
  const servers: RunningServer[] = []
  try {
    servers.push(await startGitServer(corpus.folder, cores))
    for (const provider of PROVIDERS) {
      const server = await startPackstoneServer(corpus.folder, provider, cores)
      servers.push(server)
      await runFetch(client, `${server.url}/whole.git`, encodeFetch([tip], []))
      await untilDescribed(repository, PATIENCE)
    }
    const rows: Row[] = []
    for (const { have, commits } of await findBases(repository, COMMITS)) {
      const job = `fetch ${commits} commits`
      const body = encodeFetch([tip], [have])
      const contenders = servers.map((server, at): Contender => ({
        name: at === 0 ? 'git http-backend' : 'packstone serve',
        conditions: at === 0 ? 'one process per request' : `warm, ${PROVIDERS[at - 1] ?? ''}`,
        run: () => timeServer(server, () => runFetch(client, `${server.url}/whole.git`, body)),
      }))
      for (const contender of contenders.slice(1)) await warmUp(smoke ? 1 : 30, () => contender.run())
      const series = await measure(contenders, measuring)
      const [baseline, ...ours] = series
      if (baseline === undefined) break
      rows.push(baselineRow(job, corpus.name, baseline))
      ours.forEach(({ contender }, at) => {
        const targets = { time: TARGETS.fetch[PROVIDERS[at] ?? 'node'], bytes: TARGETS.fetchBytes }
        rows.push(compare(job, corpus.name, seriesOf(series, contender), baseline, targets))
      })
    }
    return rows
  } finally {
    client.close()
    await Promise.all(servers.map((server) => server.close()))
  }
}

/** For each number of commits, the nearest commit on the first-parent line that lacks at least so many of what HEAD reaches. */
export async function findBases(
  repository: string,
  numbers: readonly number[],
): Promise<{ have: string; commits: number }[]> {
  const line = await gitLines(['rev-list', '--first-parent', 'HEAD'], { cwd: repository })
  const missing = async (at: number): Promise<number> =>
    Number(await runGit(['rev-list', '--count', `${line[at] ?? ''}..HEAD`], { cwd: repository }))
  const bases: { have: string; commits: number }[] = []
  for (const wanted of numbers) {
    let low = 1
    let high = line.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((await missing(middle)) >= wanted) high = middle
      else low = middle + 1
    }
    const have = line[low]
    if (have === undefined || bases.some((base) => base.have === have)) continue
    bases.push({ have, commits: await missing(low) })
  }
  return bases
}
