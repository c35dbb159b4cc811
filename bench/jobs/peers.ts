import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { git as runGit, gitLines } from '../../test/support/git.ts'
import { encodeFetch } from '../fetch-request.ts'
import type { OperationArguments } from '../inside/operation.ts'
import type { OperationName } from '../inside/operations.ts'
import { InsideProcess } from '../inside-process.ts'
import type { CorpusJob, JobContext } from '../job.ts'
import { measure, type Contender } from '../measure.ts'
import { pickIds } from '../pick-ids.ts'
import { baselineRow, compare, seriesOf, type Row } from '../row.ts'
import { LARGE_PACK, PROVIDERS, TARGETS } from '../targets.ts'
import { listWants } from './clone.ts'
import { findBases } from './fetch.ts'

/** just-git has every object whole in memory to index or to serve: beyond so many bytes it is not asked to. */
const JUST_GIT_LIMIT = 1_500_000_000
const READS = 2000
/** Neither peer detects any, so we do not here. */
const UNDETECTED = 'no collision detection'
/** Commits whose objects are packed. */
const PACKED_COMMITS = 300

interface Match {
  readonly job: string
  readonly peer: OperationName
  readonly ours: OperationName
  readonly args: OperationArguments
  /** What there is to know about the peer's side. */
  readonly note: string
  /** What there is to know about ours. */
  readonly oursNote: string
}

/** Other implementations in JavaScript, each at what it can do, both sides warm in a process of its own. */
export const peersJob: CorpusJob = {
  kind: 'corpus',
  name: 'peers',
  describe: 'the same work by isomorphic-git and by just-git',
  corpora: ['source-small', 'data-like', 'source-large'],
  run: runPeers,
}

async function runPeers(context: JobContext): Promise<Row[]> {
  const rows: Row[] = []
  for (const match of await listMatches(context)) {
    try {
      rows.push(...(await runMatch(context, match)))
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      const who = match.peer
      const conditions = `failed: ${reason}`
      rows.push({ job: match.job, corpus: context.corpus.name, who, conditions, figures: [], rounds: 0 })
    }
  }
  return rows
}

async function runMatch({ corpus, cores, measuring }: JobContext, match: Match): Promise<Row[]> {
  const insides: InsideProcess[] = []
  const contender = async (name: OperationName, provider: string, conditions: string): Promise<Contender> => {
    const inside = await InsideProcess.start(name, { ...match.args, provider }, cores)
    insides.push(inside)
    const who = provider === '' ? name : `packstone ${name}`
    return { name: who, conditions: `warm, in process, ${conditions}`, run: () => inside.run() }
  }
  try {
    const peer = await contender(match.peer, '', match.note)
    const ours: Contender[] = []
    for (const provider of PROVIDERS)
      ours.push(await contender(match.ours, provider, `${provider}, ${match.oursNote}`))
    const series = await measure([peer, ...ours], measuring)
    const targets = corpus.packBytes >= LARGE_PACK ? TARGETS.peersLarge : TARGETS.peers
    return [
      baselineRow(match.job, corpus.name, seriesOf(series, peer)),
      ...ours.map((each, at) =>
        compare(match.job, corpus.name, seriesOf(series, each), seriesOf(series, peer), {
          time: targets[PROVIDERS[at] ?? 'node'],
        }),
      ),
    ]
  } finally {
    for (const inside of insides) inside.close()
  }
}

async function listMatches({ corpus, scratch }: JobContext): Promise<Match[]> {
  const { repository } = corpus
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(scratch, name), content)
    return join(scratch, name)
  }
  const pack = `${corpus.pack}.pack`
  const ids = await file('read.ids', (await pickIds(repository, 'random', READS)).join('\n'))
  const reading = { repository, ids, cacheMegabytes: '96' }
  const opened = 'repository opened anew, cache 96 MiB'
  const matches: Match[] = [
    {
      job: 'index-pack, peer',
      peer: 'isomorphic-git indexPack',
      ours: 'index-pack',
      args: { pack },
      note: `cache empty at first, ${UNDETECTED}`,
      oursNote: UNDETECTED,
    },
    {
      job: `read ${READS}, peer`,
      peer: 'isomorphic-git readObject',
      ours: 'read',
      args: reading,
      note: 'cache empty at first',
      oursNote: opened,
    },
  ]
  matches.push({
    job: `read ${READS}, peer`,
    peer: 'just-git read',
    ours: 'read',
    args: reading,
    note: 'repository opened anew, the pack in memory',
    oursNote: opened,
  })
  const [base] = await findBases(repository, [PACKED_COMMITS])
  if (base !== undefined) {
    const want = await runGit(['rev-parse', 'HEAD^{commit}'], { cwd: repository })
    const list = ['rev-list', '--objects', '--no-object-names', 'HEAD', `^${base.have}`]
    const packed = await gitLines(list, { cwd: repository })
    const oids = await file('pack.ids', packed.join('\n'))
    matches.push({
      job: `pack ${base.commits} commits, peer`,
      peer: 'isomorphic-git packObjects',
      ours: 'pack',
      args: { repository, ids: oids, want, have: base.have },
      note: 'every object whole',
      oursNote: 'stored deltas reused',
    })
  }
  if (corpus.expandedBytes > JUST_GIT_LIMIT) return matches
  const request = await file('clone.request', encodeFetch(await listWants(corpus), []))
  const refs = await gitLines(['for-each-ref', '--format=%(objectname) %(refname)'], { cwd: repository })
  const refsFile = await file('refs', refs.join('\n'))
  return [
    ...matches,
    {
      job: 'ingest a pack, peer',
      peer: 'just-git ingestPack',
      ours: 'ingest',
      args: { pack },
      note: `stored on disk with its index, ${UNDETECTED}`,
      oursNote: `stored on disk with its index, ${UNDETECTED}`,
    },
    {
      job: 'clone, peer',
      peer: 'just-git clone',
      ours: 'clone',
      args: { repository, pack, request, refs: refsFile },
      note: 'every object whole in memory',
      oursNote: 'repository on disk',
    },
  ]
}
