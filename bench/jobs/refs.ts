import { DELIM, FLUSH, pktLine } from '../../test/support/raw-http.ts'
import { V2_HEADERS } from '../fetch-request.ts'
import { HttpClient } from '../http-client.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { startGitServer, startPackstoneServer, timeServer, warmUp, type RunningServer } from '../servers.ts'
import { PROVIDERS, TARGETS } from '../targets.ts'

/** Requests that make one sample: one alone is too short. */
const REQUESTS = 10

type Ask = (client: HttpClient, repositoryUrl: string) => Promise<number>

const ASKS: Readonly<Record<string, Ask>> = {
  'info/refs': async (client, url) => (await client.get(`${url}/info/refs?service=git-upload-pack`)).bytes,
  'ls-refs': async (client, url) => {
    const args = ['peel\n', 'symrefs\n'].map((line) => pktLine(line))
    const body = Buffer.concat([pktLine('command=ls-refs\n'), DELIM, ...args, FLUSH])
    return (await client.post(`${url}/git-upload-pack`, V2_HEADERS, body)).bytes
  },
}

/** The requests that a client begins with: `info/refs` as of protocol v0, and `ls-refs` of v2. */
export const refsJob: CorpusJob = {
  kind: 'corpus',
  name: 'refs',
  describe: 'answer info/refs and ls-refs over HTTP',
  corpora: ['source-large'],
  run: runRefs,
}

async function runRefs({ corpus, cores, measuring, smoke }: JobContext): Promise<Row[]> {
  const client = new HttpClient()
  const servers: RunningServer[] = []
  try {
    servers.push(await startGitServer(corpus.folder, cores))
    for (const provider of PROVIDERS) servers.push(await startPackstoneServer(corpus.folder, provider, cores))
    const rows: Row[] = []
    for (const [job, ask] of Object.entries(ASKS)) {
      const [git, ...ours] = servers.map((server, at): Contender => {
        const conditions =
          at === 0 ? 'one process per request' : `warm, ${PROVIDERS[at - 1] ?? ''}, connection kept`
        return {
          name: at === 0 ? 'git http-backend' : 'packstone serve',
          conditions,
          run: async () => {
            let bytes = 0
            const many = smoke ? 2 : REQUESTS
            const sample = await timeServer(server, async () => {
              for (let count = 0; count < many; count++) bytes = await ask(client, `${server.url}/whole.git`)
              return bytes
            })
            return { ...sample, milliseconds: sample.milliseconds / many }
          },
        }
      })
      if (git === undefined) break
      for (const contender of ours) await warmUp(smoke ? 1 : 20, () => contender.run())
      const series = await measure([git, ...ours], measuring)
      const baseline = seriesOf(series, git)
      rows.push(baselineRow(job, corpus.name, baseline))
      ours.forEach((contender, at) => {
        const time = TARGETS.refs[PROVIDERS[at] ?? 'node']
        rows.push(compare(job, corpus.name, seriesOf(series, contender), baseline, { time }))
      })
    }
    return rows
  } finally {
    client.close()
    await Promise.all(servers.map((server) => server.close()))
  }
}
