import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { git } from '../../test/support/git.ts'
import { RestClient, withToken, type Created, type RunningHub } from '../../test/support/hubs/rest-client.ts'
import { startBunHub, startDenoHub, startNodeHub } from '../../test/support/hubs/start-program.ts'
import { startWorker } from '../../test/support/hubs/start-worker.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'

/** Where the hub runs, and on what. */
const RUNTIMES: readonly {
  readonly name: string
  readonly conditions: string
  readonly start: () => Promise<RunningHub>
}[] = [
  { name: 'Node', conditions: 'node codecs, SQLite registry, files', start: startNodeHub },
  { name: 'Deno', conditions: 'portable codecs, SQLite registry, files', start: startDenoHub },
  { name: 'Bun', conditions: 'portable codecs, SQLite registry and repositories', start: startBunHub },
  {
    name: 'workerd',
    conditions: 'portable codecs, Durable Objects, simulated R2',
    start: () => startWorker(),
  },
]

const NAMESPACE = '/namespaces/bench'

/** The same operations on each runtime, told with stock git: create and push everything, clone, fork, delete. Whole processes of git included. */
export const runtimesJob: CorpusJob = {
  kind: 'corpus',
  name: 'runtimes',
  describe: 'push, clone and fork through the hub on Node, Deno, Bun and workerd, by stock git',
  corpora: ['source-small'],
  run: runRuntimes,
}

async function runRuntimes(context: JobContext): Promise<Row[]> {
  const hubs: RunningHub[] = []
  try {
    const rows: Row[] = []
    for (const { start } of RUNTIMES) hubs.push(await start())
    for (const operation of ['push', 'clone', 'fork'] as const) {
      const contenders = RUNTIMES.map((runtime, at) => ({
        name: runtime.name,
        conditions: runtime.conditions,
        run: createRun(context, hubs[at], operation),
      }))
      rows.push(...(await compareWithNode(context, operation, contenders)))
    }
    return rows
  } finally {
    await Promise.all(hubs.map((hub) => hub.close()))
  }
}

async function compareWithNode(
  { corpus, measuring }: JobContext,
  operation: string,
  contenders: readonly Contender[],
): Promise<Row[]> {
  const [node, ...others] = contenders
  if (node === undefined) return []
  const job = `hub: ${operation}`
  const series = await measure(contenders, measuring)
  const baseline = seriesOf(series, node)
  return [
    baselineRow(job, corpus.name, baseline),
    ...others.map((other) => compare(job, corpus.name, seriesOf(series, other), baseline)),
  ]
}

/** One run of an operation: on a repository of its own, which is made before and deleted after what counts. */
function createRun(
  { corpus, scratch }: JobContext,
  hub: RunningHub | undefined,
  operation: 'push' | 'clone' | 'fork',
): Contender['run'] {
  if (hub === undefined) throw new Error('a hub was not started')
  const rest = new RestClient(hub)
  const clone = join(scratch, 'clone.git')
  const push = (url: string): Promise<unknown> =>
    git(['push', '--quiet', '--mirror', url], { cwd: corpus.repository, timeout: 600_000 })
  const operations = {
    push,
    clone: (url: string): Promise<unknown> =>
      git(['clone', '--quiet', '--bare', url, clone], { timeout: 600_000 }),
    fork: (): Promise<unknown> => rest.call('POST', `${NAMESPACE}/repos/source/fork`, { name: 'copy' }),
  }
  return async () => {
    const created = await rest.call<Created>('POST', `${NAMESPACE}/repos`, { name: 'source' })
    const url = withToken(created)
    if (operation !== 'push') await push(url)
    const begun = performance.now()
    await operations[operation](url)
    const milliseconds = performance.now() - begun
    await rm(clone, { recursive: true, force: true })
    for (const name of operation === 'fork' ? ['copy', 'source'] : ['source']) {
      await rest.call('DELETE', `${NAMESPACE}/repos/${name}`)
    }
    return { milliseconds, bytes: 0 }
  }
}
