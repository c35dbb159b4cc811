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

/** How a server that runs already answers. */
interface WarmServer {
  readonly provider: Provider
  readonly inUse: Contender
  readonly wholeNew: Contender
  readonly again: Contender
  readonly whole: Contender
}

/** How long packstone may take to write down what a pack points at, before clones are measured. In milliseconds. */
const PATIENCE = 180_000

/** Fewer wants than that are not put in enough orders. */
const FEW_WANTS = 60

/**
 * The answer to the one `fetch` request of a full clone, read and thrown away on another core: the time of the server. Who serves may
 * keep an answer for those who ask for the same again: lines say whether anybody did.
 */
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
  const wants = await listWants(corpus)
  const body = encodeFetch(wants, [])
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

    const nextWants = createReworder(wants, await listOthers(corpus, wants))
    const newBody = (): Buffer => encodeFetch(nextWants(), [])

    const warm: WarmServer[] = []
    for (const provider of PROVIDERS) {
      const server = await started(startPackstoneServer(corpus.folder, provider, cores))
      const ask = (path: string, request: Buffer): Promise<number> =>
        runFetch(client, `${server.url}/${basename(path)}`, request)
      for (const path of [inUse, whole]) {
        await ask(path, body)
        await untilDescribed(path, PATIENCE)
        await warmUp(smoke ? 1 : 20, () => ask(path, body))
      }
      for (const path of [inUse, whole]) await warmUp(smoke ? 1 : 10, () => ask(path, newBody()))
      const contender = (conditions: string, path: string, next: () => Buffer): Contender => ({
        name: 'packstone serve',
        conditions: `warm, ${provider}, ${conditions}`,
        run: () => {
          const request = next()
          return timeServer(server, () => ask(path, request))
        },
      })
      warm.push({
        provider,
        inUse: contender('3 packs, never asked for before', inUse, newBody),
        wholeNew: contender('1 pack, never asked for before', whole, newBody),
        again: contender('3 packs, asked for before', inUse, () => body),
        whole: contender('1 pack, asked for before', whole, () => body),
      })
    }
    const firstOf = (path: string, packs: string): Contender => ({
      name: 'packstone serve',
      conditions: `first request of the process, node, ${packs}`,
      run: async () => {
        const fresh = await startPackstoneServer(corpus.folder, 'node', cores)
        try {
          return await timeServer(fresh, () => runFetch(client, `${fresh.url}/${basename(path)}`, body))
        } finally {
          await fresh.close()
        }
      },
    })
    const first = firstOf(inUse, '3 packs')
    const firstWhole = firstOf(whole, '1 pack')
    const ours = warm.flatMap((each) => [each.inUse, each.again, each.wholeNew, each.whole])
    const series = await measure([gitInUse, gitWhole, gitBitmap, ...ours, first, firstWhole], measuring)
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
      ...warm.map((each) => row('clone', each.again, gitInUse)),
      base('clone', gitBitmap),
      ...warm.map((each) =>
        row('clone', each.inUse, gitBitmap, { time: TARGETS.cloneAgainstBitmap[each.provider] }),
      ),
      row('clone', first, gitBitmap),
      ...warm.map((each) => row('clone', each.again, gitBitmap)),
      base('clone, consolidated', gitBitmap),
      ...warm.map((each) =>
        row('clone, consolidated', each.wholeNew, gitBitmap, {
          time: TARGETS.cloneConsolidated[each.provider],
        }),
      ),
      row('clone, consolidated', firstWhole, gitBitmap),
      ...warm.map((each) => row('clone, consolidated', each.whole, gitBitmap)),
      base('clone, consolidated', gitWhole),
      ...warm.map((each) => row('clone, consolidated', each.wholeNew, gitWhole)),
      row('clone, consolidated', firstWhole, gitWhole),
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

/**
 * Tells the same in words that no request had before: the wants in another order, or where they are few, with one more that they reach,
 * which a server has to find out.
 */
function createReworder(wants: readonly string[], others: readonly string[]): () => string[] {
  let asked = 0
  return () => {
    asked++
    if (wants.length < FEW_WANTS) return [...wants, ...others.slice(asked, asked + 1)]
    const first = asked % wants.length
    return [...wants.slice(first), ...wants.slice(0, first)]
  }
}

/** Commits that a client gets with everything, and may ask for besides. */
async function listOthers(corpus: Corpus, wants: readonly string[]): Promise<string[]> {
  const asked = new Set(wants)
  const commits = await gitLines(['rev-list', '--all', '--max-count=2000'], { cwd: corpus.repository })
  return commits.filter((id) => !asked.has(id))
}

function afterComma(text: string): string {
  return text.slice(text.indexOf(', ') + 2)
}
