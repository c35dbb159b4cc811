import { beforeAll, describe, it } from 'vitest'
import fc from 'fast-check'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { compareAnswers } from './fetch-answer.ts'
import type { Version } from './served-repository.ts'
import { DELIM, FLUSH, wire, type WirePart } from './wire.ts'

/** How many commits the served repository has; the client has some more that it does not share. */
const COMMITS = 40

const scratch = useScratch()

/** A served repository and what is in it. */
interface World {
  readonly served: string
  /** Commit ids in order of creation; the last ones are unknown to the server. */
  readonly commits: readonly string[]
  readonly tips: readonly string[]
  readonly tags: readonly string[]
}

/** A history with merges and two roots for fast-import, in which so many seconds lie between two commits. */
function describeHistory(seconds: number): string {
  const lines: string[] = []
  for (let at = 1; at <= COMMITS + 10; at++) {
    const date = `${TEST_TIME + seconds * at} +0000`
    lines.push(`commit refs/marks/${at}`, `mark :${at}`, `committer C <c@example.com> ${date}`, 'data 0')
    if (at !== 1 && at !== 20) lines.push(`from :${at % 5 === 0 ? at - 3 : at - 1}`)
    if (at % 7 === 0 && at > 8) lines.push(`merge :${at - 6}`)
    lines.push(`M 100644 inline f${at % 4}`, `data ${String(at).length}`, `${at}`)
  }
  for (const at of [10, 25, 33, COMMITS]) lines.push(`reset refs/heads/b${at}`, `from :${at}`, '')
  for (const [name, at] of [
    ['v1', 12],
    ['v2', 39],
  ] as const) {
    lines.push(`tag ${name}`, `from :${at}`, `tagger C <c@example.com> ${TEST_TIME} +0000`, 'data 0')
  }
  return `${lines.join('\n')}\n`
}

async function createWorld(name: string, seconds: number): Promise<World> {
  const client = scratch.fresh(`${name}-client.git`)
  const served = scratch.fresh(`${name}.git`)
  await git(['init', '-q', '--bare', client])
  await tryGit(['fast-import', '--quiet', '--date-format=raw'], {
    cwd: client,
    input: describeHistory(seconds),
  })
  const commits = await Promise.all(
    Array.from({ length: COMMITS + 10 }, (_, at) =>
      git(['rev-parse', `refs/marks/${at + 1}`], { cwd: client }),
    ),
  )
  await git(['init', '-q', '--bare', served])
  await git(['push', '-q', served, 'refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*'], { cwd: client })
  await git(['symbolic-ref', 'HEAD', 'refs/heads/b40'], { cwd: served })
  return { commits, ...(await describeServed(served)) }
}

async function describeServed(served: string): Promise<Omit<World, 'commits'>> {
  const list = (prefix: string): Promise<string[]> =>
    gitLines(['for-each-ref', '--format=%(objectname)', prefix], { cwd: served })
  return { served, tips: await list('refs/heads'), tags: await list('refs/tags') }
}

const worlds = new Map<string, World>()
beforeAll(async () => {
  worlds.set('of one date', await createWorld('even', 0))
  const dated = await createWorld('dated', 60)
  worlds.set('whose dates run forwards', dated)
  const shallow = scratch.fresh('shallow.git')
  await git(['clone', '-q', '--bare', '--depth=6', '--no-single-branch', `file://${dated.served}`, shallow])
  worlds.set('that is shallow', { commits: dated.commits, ...(await describeServed(shallow)) })
})

const pickSome = (limit: number, count: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.nat(limit - 1), { maxLength: count })

const deepening = fc.oneof(
  { weight: 4, arbitrary: fc.constant<string[]>([]) },
  fc.integer({ min: 1, max: 12 }).map((depth) => [`deepen ${depth}`]),
  fc.constant(['deepen 2147483647']),
  fc.constant(['deepen-not refs/tags/v1']),
  fc.constant(['deepen-not b10']),
)

/** What a client says; numbers stand for tips and commits. */
interface Talk {
  readonly wants: readonly number[]
  readonly haves: readonly number[]
  readonly shallow: readonly number[]
  readonly deepening: readonly string[]
  readonly relative: boolean
  readonly done: boolean
}

const talk: fc.Arbitrary<Talk> = fc.record({
  wants: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }),
  haves: pickSome(COMMITS + 10, 12),
  shallow: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, pickSome(COMMITS, 3)),
  deepening,
  relative: fc.boolean(),
  done: fc.boolean(),
})

/**
 * What may be said in a world. Git does not tell a client that asks for a range of commits where a shallow repository itself ends,
 * so that the client lacks what it needs; we do.
 */
const talkIn = (name: string): fc.Arbitrary<Talk> =>
  name === 'that is shallow'
    ? talk.filter((said) => !said.deepening.some((line) => line.startsWith('deepen-not')))
    : talk

function boundaryLines({ commits }: World, { shallow, deepening: lines }: Talk): string[] {
  return [...shallow.map((at) => `shallow ${commits[at] ?? ''}`), ...lines]
}

function wantIds({ tips, tags }: World, { wants }: Talk): string[] {
  return wants.map((at) => [...tips, ...tags][at] ?? '')
}

/** The depth may be counted from the client's boundary only where it is a depth. */
function relativeWords({ relative, deepening: lines }: Talk): string[] {
  // Git counts one beyond an infinite relative depth, where its number runs over; we take it as all of history.
  if (lines.includes('deepen 2147483647')) return []
  return relative && lines.some((line) => line.startsWith('deepen ')) ? ['deepen-relative'] : []
}

function requestV2(world: World, said: Talk): Uint8Array {
  const parts: WirePart[] = [
    'command=fetch',
    'agent=git/test',
    'object-format=sha1',
    DELIM,
    'thin-pack',
    'no-progress',
    'include-tag',
    'ofs-delta',
    ...boundaryLines(world, said),
    ...relativeWords(said),
    ...wantIds(world, said).map((id) => `want ${id}\n`),
    ...said.haves.map((at) => `have ${world.commits[at] ?? ''}\n`),
    ...(said.done ? ['done\n'] : []),
    FLUSH,
  ]
  return wire(...parts)
}

function requestV0(world: World, said: Talk, capabilities: readonly string[]): Uint8Array {
  const words = [...capabilities, ...relativeWords(said), 'no-progress', 'agent=git/test'].join(' ')
  return wire(
    ...wantIds(world, said).map((id, at) => (at === 0 ? `want ${id} ${words}\n` : `want ${id}\n`)),
    ...boundaryLines(world, said),
    FLUSH,
    ...said.haves.map((at) => `have ${world.commits[at] ?? ''}\n`),
    ...(said.done ? ['done\n'] : [FLUSH]),
  )
}

const capabilitiesV0 = fc
  .record({
    acks: fc.constantFrom('', 'multi_ack', 'multi_ack_detailed'),
    band: fc.constantFrom('', 'side-band', 'side-band-64k'),
    others: fc.subarray(['no-done', 'thin-pack', 'ofs-delta', 'include-tag']),
  })
  .map(({ acks, band, others }) => [acks, band, ...others].filter((word) => word !== ''))

describe.each(['of one date', 'whose dates run forwards', 'that is shallow'])(
  'in a repository %s',
  (name) => {
    const worldOf = (): World => {
      const world = worlds.get(name)
      if (world === undefined) throw new Error(`there is no world ${name}`)
      return world
    }

    it('a fetch in version 2 is answered as by git', { timeout: 300_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(talkIn(name), async (said) => {
          await compareAnswers(worldOf().served, 2, requestV2(worldOf(), said))
        }),
        { numRuns: 40 },
      )
    })

    it('a fetch in versions 0 and 1 is answered as by git', { timeout: 300_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom<Version>(0, 1),
          talkIn(name),
          capabilitiesV0,
          async (version, said, capabilities) => {
            await compareAnswers(worldOf().served, version, requestV0(worldOf(), said, capabilities))
          },
        ),
        { numRuns: 40 },
      )
    })
  },
)
