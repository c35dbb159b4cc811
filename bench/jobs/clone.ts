import { basename } from 'node:path'
import { gitLines } from '../../test/support/git.ts'
import type { Corpus } from '../corpus.ts'
import { encodeFetch, runFetch } from '../fetch-request.ts'
import { HttpClient } from '../http-client.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { layoutInUse, layoutWithBitmap } from '../layouts.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row, type Targets } from '../row.ts'
import {
  startGitServer,
  startPackstoneServer,
  timeServer,
  untilDescribed,
  warmUp,
  type RunningServer,
} from '../servers.ts'
import { PROVIDERS, TARGETS, type Provider } from '../targets.ts'

/** How long packstone may take to write down what a pack points at, before clones are measured. In milliseconds. */
const PATIENCE = 180_000

/** The answer to the one `fetch` request of a full clone, read and thrown away on another core: the time of the server. */
export const cloneJob: CorpusJob = {
  kind: 'corpus',
  name: 'clone',
  describe: 'answer a full clone over HTTP, against git http-backend without and with a bitmap',
  corpora: ['source-large', 'source-small', 'data-like', 'tiny-files'],
  run: runClone,
}

async function runClone({ corpus, cores, measuring, smoke }: JobContext): Promise<Row[]> {
  const inUse = await layoutInUse(corpus)
  const bitmap = await layoutWithBitmap(corpus)
  const whole = corpus.repository
  const body = encodeFetch(await listWants(corpus), [])
  const client = new HttpClient()
  const servers: RunningServer[] = []
  const started = async (server: Promise<RunningServer>): Promise<RunningServer> => {
    servers.push(await server)
    return server
  }
  try {
    const git = await started(startGitServer(corpus.folder, cores))
    const request = (name: string, conditions: string, server: RunningServer, path: string): Contender => ({
      name,
      conditions,
      run: () => timeServer(server, () => runFetch(client, `${server.url}/${basename(path)}`, body)),
    })
    const backend = (path: string, conditions: string): Contender =>
      request('git http-backend', conditions, git, path)
    const gitInUse = backend(inUse, 'one process per request, 3 packs, no bitmap')
    const gitWhole = backend(whole, 'one process per request, 1 pack, no bitmap')
    const gitBitmap = backend(bitmap, 'one process per request, 1 pack, bitmap and commit-graph')

    const warm: { provider: Provider; inUse: Contender; whole: Contender }[] = []
    for (const provider of PROVIDERS) {
      const server = await started(startPackstoneServer(corpus.folder, provider, cores))
      for (const path of [inUse, whole]) {
        await runFetch(client, `${server.url}/${basename(path)}`, body)
        await untilDescribed(path, PATIENCE)
        await warmUp(smoke ? 1 : 20, () => runFetch(client, `${server.url}/${basename(path)}`, body))
      }
      const contender = (path: string, packs: string): Contender =>
        request('packstone serve', `warm, ${provider}, ${packs}`, server, path)
      warm.push({ provider, inUse: contender(inUse, '3 packs'), whole: contender(whole, '1 pack') })
    }
    const first: Contender = {
      name: 'packstone serve',
      conditions: 'first request of the process, node, 3 packs',
      run: async () => {
        const fresh = await startPackstoneServer(corpus.folder, 'node', cores)
        try {
          return await timeServer(fresh, () => runFetch(client, `${fresh.url}/${basename(inUse)}`, body))
        } finally {
          await fresh.close()
        }
      },
    }
    const contenders = [gitInUse, gitWhole, gitBitmap, ...warm.flatMap((each) => [each.inUse, each.whole])]
    const series = await measure([...contenders, first], measuring)
    const row = (job: string, contender: Contender, baseline: Contender, targets: Targets = {}): Row => {
      const compared = compare(
        job,
        corpus.name,
        seriesOf(series, contender),
        seriesOf(series, baseline),
        targets,
      )
      return { ...compared, against: `${baseline.name}, ${afterComma(baseline.conditions)}` }
    }
    const base = (job: string, contender: Contender): Row =>
      baselineRow(job, corpus.name, seriesOf(series, contender))
    return [
      base('clone', gitInUse),
      ...warm.map((each) => row('clone', each.inUse, gitInUse, { time: TARGETS.clone[each.provider] })),
      row('clone', first, gitInUse),
      base('clone', gitBitmap),
      ...warm.map((each) =>
        row('clone', each.inUse, gitBitmap, { time: TARGETS.cloneAgainstBitmap[each.provider] }),
      ),
      row('clone', first, gitBitmap),
      base('clone, consolidated', gitBitmap),
      ...warm.map((each) =>
        row('clone, consolidated', each.whole, gitBitmap, {
          time: TARGETS.cloneConsolidated[each.provider],
        }),
      ),
      base('clone, consolidated', gitWhole),
      ...warm.map((each) => row('clone, consolidated', each.whole, gitWhole)),
    ]
  } finally {
    client.close()
    await Promise.all(servers.map((server) => server.close()))
  }
}

/** What a client that wants everything asks for. */
export async function listWants(corpus: Corpus): Promise<string[]> {
  const refs = ['for-each-ref', '--format=%(objectname)']
  return [...new Set(await gitLines(refs, { cwd: corpus.repository }))]
}

function afterComma(text: string): string {
  return text.slice(text.indexOf(', ') + 2)
}
