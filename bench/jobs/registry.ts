import { join } from 'node:path'
import type { Registry, RepositoryQuery } from '../../src/hub/registry/registry.ts'
import { createSqliteRegistry } from '../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import type { StandaloneJob, Surroundings } from '../job.ts'
import { median } from '../measure.ts'
import { figureOf, type Row } from '../row.ts'
import { TARGETS } from '../targets.ts'

const COUNT = 100_000
const SMOKE_COUNT = 200
/** A word in a name of every so many repositories. */
const RARE_EVERY = 10_000

/** How long the hub's registry takes to answer about one namespace of many repositories. */
export const registryJob: StandaloneJob = {
  kind: 'standalone',
  name: 'registry',
  describe: 'list, search and get among 100,000 repositories of one namespace',
  run: runRegistry,
}

async function runRegistry({ scratch, measuring, smoke }: Surroundings): Promise<Row[]> {
  const count = smoke ? SMOKE_COUNT : COUNT
  const database = await openNodeDatabase({ path: join(scratch, 'hub.db'), synchronous: 'normal' })
  const registry = createSqliteRegistry({ database })
  try {
    const creating = await timeEach(count, (at) => createOne(registry, at))
    const rows = [rowOf(`create, ${count} in turn`, creating)]
    for (const { conditions, ask } of await questions(registry, count)) {
      await ask()
      const rounds = smoke ? 1 : Math.max(20, measuring.rounds)
      rows.push(rowOf(conditions, await timeEach(rounds, ask), TARGETS.registryMilliseconds))
    }
    return rows
  } finally {
    await registry.close()
  }
}

interface Question {
  readonly conditions: string
  readonly ask: () => Promise<unknown>
}

async function questions(registry: Registry, count: number): Promise<Question[]> {
  const newest = { namespace: 'space', limit: 50, sort: 'created_at', direction: 'desc' } as const
  const list = (conditions: string, more: Partial<RepositoryQuery> = {}): Question => ({
    conditions,
    ask: () => registry.listRepositories({ ...newest, ...more }),
  })
  const middle = await registry.listRepositories({ ...newest, limit: 1, offset: count >> 1 })
  return [
    { conditions: 'get one by name', ask: () => registry.findRepository('space', nameOf(count >> 1)) },
    list('first page of 50, newest first, with the number of all', { withTotal: true }),
    list('first page by name', { sort: 'name', direction: 'asc' }),
    list('page in the middle, by its cursor', middle.next === undefined ? {} : { after: middle.next }),
    list('search for a word in few names', { search: 'needle' }),
    list('search for a word in a third of the names', { search: 'bravo' }),
    list('search for two letters', { search: 'lp' }),
    list('search for what is in no name', { search: 'zebra' }),
  ]
}

const WORDS = ['alpha', 'bravo', 'charlie']

function nameOf(at: number): string {
  return `${WORDS[at % WORDS.length] ?? ''}-${at}${at % RARE_EVERY === 7 ? '-needle' : ''}`
}

async function createOne(registry: Registry, at: number): Promise<void> {
  const id = at.toString(36).padStart(16, '0')
  const moment = 1_700_000_000_000 + at
  await registry.createRepository({
    record: {
      id,
      namespace: 'space',
      name: nameOf(at),
      description: null,
      defaultBranch: 'main',
      readOnly: false,
      source: null,
      status: 'ready',
      createdAt: moment,
      updatedAt: moment,
      lastPushAt: null,
      leaseUntil: null,
      work: null,
    },
    token: {
      id,
      repository: id,
      hash: id.padStart(64, '0'),
      scope: 'write',
      createdAt: moment,
      expiresAt: moment + 1,
      revokedAt: null,
    },
  })
}

/** Milliseconds of each call. */
async function timeEach(rounds: number, call: (at: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < rounds; at++) {
    const start = performance.now()
    await call(at)
    times.push(performance.now() - start)
  }
  return times
}

function rowOf(conditions: string, times: readonly number[], target?: number): Row {
  return {
    job: 'registry',
    corpus: '',
    who: 'packstone/hub, SQLite',
    conditions,
    figures: [figureOf('delay', times, target)],
    milliseconds: median(times),
    rounds: times.length,
  }
}
