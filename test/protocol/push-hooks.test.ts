import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { concatBytes } from '../../src/bytes/concat.ts'
import { hasObject } from '../../src/object/object-reader.ts'
import type { HookCommand, PushContext, ReceiveHooks } from '../../src/protocol/receive-pack/receive-hooks.ts'
import { receivePack } from '../../src/protocol/service.ts'
import type { ReceivePackOptions } from '../../src/protocol/service-options.ts'
import { git } from '../support/git.ts'
import { encodeRawPack, rawCommit, rawObjectId, rawTree, type RawEntry } from '../support/raw-pack.ts'
import { readRefLines, snapshotFiles } from '../support/repositories.ts'
import { openServed, temporaryDirectory } from './served-repository.ts'
import { chunked, collect, demux, FLUSH, packets, wire } from './wire.ts'

const ZERO = '0'.repeat(40)
const blob = Buffer.from('x')
const tree = rawTree('file', rawObjectId('blob', blob))
const commit = rawCommit(rawObjectId('tree', tree))
const child = rawCommit(rawObjectId('tree', tree), [rawObjectId('commit', commit)], 'child\n')
const first = rawObjectId('commit', commit)
const second = rawObjectId('commit', child)
const base: readonly RawEntry[] = [
  { type: 'blob', body: blob },
  { type: 'tree', body: tree },
  { type: 'commit', body: commit },
]
const secondPack = encodeRawPack([{ type: 'commit', body: child }])

interface Answer {
  readonly report: readonly string[]
  readonly said: string
  readonly failures: readonly unknown[]
}

/** A repository whose `main` and `old` are the first commit. */
async function prepare(): Promise<string> {
  const path = join(await temporaryDirectory(), 'served.git')
  await git(['init', '-q', '--bare', path])
  await git(['index-pack', '--stdin'], { cwd: path, input: encodeRawPack(base) })
  for (const name of ['main', 'old', 'dir/leaf'])
    await git(['update-ref', `refs/heads/${name}`, first], { cwd: path })
  return path
}

async function push(
  served: string,
  commands: readonly string[],
  options: ReceivePackOptions,
  {
    capabilities = 'report-status-v2 side-band-64k',
    pushOptions = [] as readonly string[],
    pack = secondPack,
  } = {},
): Promise<Answer> {
  const repository = await openServed(served)
  const [head = '', ...rest] = commands
  const request = concatBytes([
    wire(`${head}\0 ${capabilities} object-format=sha1`, ...rest, FLUSH),
    ...(pushOptions.length > 0 ? [wire(...pushOptions, FLUSH)] : []),
    ...(commands.every((line) => line.split(' ')[1] === ZERO) ? [] : [pack]),
  ])
  const failures: unknown[] = []
  const context = { options, onFailure: (error: unknown) => failures.push(error) }
  const { data, progress } = await demux(await collect(receivePack(repository, chunked(request), context)))
  return { report: await packets(data), said: progress, failures }
}

const UPDATE = `${first} ${second} refs/heads/main`
const CREATE = `${ZERO} ${second} refs/heads/new`
const STALE = `${second} ${first} refs/heads/old`

/** Hooks that write down how they are called. */
function recorder(): { readonly hooks: ReceiveHooks; readonly calls: unknown[][] } {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    (...given: unknown[]): Promise<{ kind: 'accept' }> => {
      calls.push([name, ...given.slice(0, -1)])
      return Promise.resolve({ kind: 'accept' })
    }
  const hooks: ReceiveHooks = {
    preReceive: note('pre-receive'),
    update: note('update'),
    referenceTransaction: note('transaction'),
    postReceive: async (...given) => {
      await note('post-receive')(...given)
    },
  }
  return { hooks, calls }
}

const command = (line: string): HookCommand => {
  const [oldId = '', newId = '', name = ''] = line.split(' ')
  return { name, oldId, newId }
}

describe('hooks', () => {
  it('are called in git’s order, each ref in a transaction of its own', async () => {
    const { hooks, calls } = recorder()
    const { report } = await push(await prepare(), [UPDATE, CREATE, STALE], { hooks })
    expect(report.slice(0, 3)).toEqual(['unpack ok', 'ok refs/heads/main', 'ok refs/heads/new'])
    const all = [UPDATE, CREATE, STALE].map(command)
    expect(calls).toEqual([
      ['pre-receive', all],
      ...all.map((one) => ['update', one]),
      ...all.map((one) => ['transaction', 'prepared', [one]]),
      ['transaction', 'committed', [command(UPDATE)]],
      ['transaction', 'committed', [command(CREATE)]],
      ['transaction', 'aborted', [command(STALE)]],
      ['post-receive', [command(UPDATE), command(CREATE)]],
    ])
  })

  it('of an atomic push that loses a race are told of one transaction that was aborted', async () => {
    const { hooks, calls } = recorder()
    const served = await prepare()
    const before = await snapshotFiles(served)
    const { report } = await push(
      served,
      [UPDATE, STALE],
      { hooks },
      { capabilities: 'report-status side-band-64k atomic' },
    )
    expect(report).toEqual([
      'unpack ok',
      'ng refs/heads/main atomic transaction failed',
      'ng refs/heads/old atomic transaction failed',
      '<flush>',
    ])
    const both = [UPDATE, STALE].map(command)
    expect(calls.slice(3)).toEqual([
      ['transaction', 'prepared', both],
      ['transaction', 'aborted', both],
    ])
    expect(await snapshotFiles(served)).toEqual(before)
  })

  it('of an atomic push that loses a race while they run find that nothing was moved', async () => {
    const served = await prepare()
    const hooks: ReceiveHooks = {
      update: async ({ name }) => {
        // Another push gets there first, after this one was judged.
        if (name === 'refs/heads/old') await git(['update-ref', '-d', 'refs/heads/old'], { cwd: served })
        return { kind: 'accept' }
      },
    }
    const commands = [UPDATE, `${first} ${second} refs/heads/old`]
    const { report } = await push(
      served,
      commands,
      { hooks },
      { capabilities: 'report-status side-band-64k atomic' },
    )
    expect(report.slice(1, 3)).toEqual([
      'ng refs/heads/main atomic transaction failed',
      'ng refs/heads/old atomic transaction failed',
    ])
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(first)
    const repository = await openServed(served)
    expect(await repository.storage.listPacks()).toHaveLength(1)
  })

  it('see received objects that nobody else sees, the options of the push, and can speak', async () => {
    const served = await prepare()
    const other = await openServed(served)
    const seen: unknown[] = []
    const look = async (_: unknown, context: PushContext): Promise<void> => {
      const view = await other.openView()
      const id = parseHex(second)
      seen.push([
        await hasObject(context.view, id),
        await hasObject(view, id),
        context.pushOptions,
        context.isAtomic,
      ])
      await view.close()
      context.say(`${context.pack === undefined ? 'no' : context.pack.name.slice(0, 5)} pack\n`)
    }
    const hooks: ReceiveHooks = {
      preReceive: async (...given) => {
        await look(...given)
        return { kind: 'accept' }
      },
      postReceive: look,
    }
    const { said } = await push(
      served,
      [UPDATE],
      { hooks, advertisePushOptions: true },
      { capabilities: 'report-status side-band-64k push-options', pushOptions: ['a', 'b=c d'] },
    )
    expect(seen).toEqual([
      [true, false, ['a', 'b=c d'], false],
      [true, true, ['a', 'b=c d'], false],
    ])
    expect(said).toBe('pack- pack\nno pack\n')
  })

  it.each([
    [{ preReceive: () => Promise.resolve({ kind: 'decline' as const }) }, 'pre-receive hook declined', ''],
    [
      { preReceive: () => Promise.resolve({ kind: 'decline' as const, reason: 'closed on Sundays' }) },
      'closed on Sundays',
      '',
    ],
    [
      { update: () => Promise.resolve({ kind: 'decline' as const }) },
      'hook declined',
      'error: hook declined to update refs/heads/main\n',
    ],
    [
      { referenceTransaction: () => Promise.resolve({ kind: 'decline' as const }) },
      'failed to update ref',
      'error: ref updates aborted by hook\n',
    ],
    [
      { update: () => Promise.reject(new Error('secret')) },
      'hook declined',
      'error: the update hook failed\nerror: hook declined to update refs/heads/main\n',
    ],
  ] satisfies [ReceiveHooks, string, string][])(
    'that decline refuse, and nothing is kept (%#)',
    async (hooks, reason, words) => {
      const served = await prepare()
      const before = await snapshotFiles(served)
      const { report, said, failures } = await push(served, [UPDATE], { hooks })
      expect(report).toEqual(['unpack ok', `ng refs/heads/main ${reason}`, '<flush>'])
      expect(said).toBe(words)
      expect(failures).toHaveLength(words.includes('failed\n') ? 1 : 0)
      expect(await snapshotFiles(served)).toEqual(before)
    },
  )

  it('that fail after the fact change nothing', async () => {
    const served = await prepare()
    const hooks: ReceiveHooks = { postReceive: () => Promise.reject(new Error('secret')) }
    const { report, said, failures } = await push(served, [UPDATE], { hooks })
    expect(report).toEqual(['unpack ok', 'ok refs/heads/main', '<flush>'])
    expect(said).toBe('error: the post-receive hook failed\n')
    expect(failures).toEqual([new Error('secret')])
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(second)
  })

  it('are told what was done even when the client goes away before it hears', async () => {
    const served = await prepare()
    const repository = await openServed(served)
    const { hooks, calls } = recorder()
    const request = concatBytes([wire(`${UPDATE}\0 report-status side-band-64k`, FLUSH), secondPack])
    for await (const piece of receivePack(repository, chunked(request), { options: { hooks } })) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(second)
    expect(calls.at(-1)).toEqual(['post-receive', [command(UPDATE)]])
  })
})

describe('report-status-v2', () => {
  const procReceive: ReceiveHooks['procReceive'] = (commands) =>
    Promise.resolve(
      commands.map(({ name }) => ({
        kind: 'ok' as const,
        name,
        reports: [
          { refName: 'refs/pull/1/head', oldId: first, newId: second, isForced: true },
          { refName: 'refs/pull/2/head' },
        ],
      })),
    )
  const options = { hooks: { procReceive }, procReceiveRefs: ['refs/for'] }
  const PROPOSE = `${ZERO} ${second} refs/for/main`

  it('says what was changed in place of a ref', async () => {
    const { report } = await push(await prepare(), [PROPOSE, UPDATE], options)
    expect(report).toEqual([
      'unpack ok',
      'ok refs/for/main',
      'option refname refs/pull/1/head',
      `option old-oid ${first}`,
      `option new-oid ${second}`,
      'option forced-update',
      'ok refs/for/main',
      'option refname refs/pull/2/head',
      'ok refs/heads/main',
      '<flush>',
    ])
  })

  it('is not spoken to a client that does not know it', async () => {
    const served = await prepare()
    const { report } = await push(served, [PROPOSE], options, { capabilities: 'report-status side-band-64k' })
    expect(report).toEqual(['unpack ok', 'ok refs/for/main', '<flush>'])
    expect(await readRefLines(served, 'refs/for')).toEqual([])
    // The objects stay: only the hook knows what names them now.
    expect(await git(['cat-file', '-t', second], { cwd: served })).toBe('commit')
  })
})

describe('policies', () => {
  const TAG = `${ZERO} ${second} refs/tags/v1`
  const cases: readonly [string, ReceivePackOptions, readonly string[], readonly string[]][] = [
    [
      'protected refs',
      { protectedRefs: ['refs/heads/m*'] },
      [UPDATE, CREATE],
      ['ng refs/heads/main protected ref', 'ok refs/heads/new'],
    ],
    [
      'a deletion below a pattern',
      { denyDeletes: ['refs/heads/dir/**'] },
      [`${first} ${ZERO} refs/heads/dir/leaf`, `${first} ${ZERO} refs/heads/old`],
      ['ng refs/heads/dir/leaf deletion prohibited', 'ok refs/heads/old'],
    ],
    [
      'no fast-forward of a pattern',
      { denyNonFastForwards: ['refs/heads/old'] },
      [
        `${first} ${rawObjectId('commit', rawCommit(rawObjectId('tree', tree), [], 'root\n'))} refs/heads/old`,
      ],
      ['ng refs/heads/old non-fast-forward'],
    ],
    [
      'long names',
      { maxRefNameBytes: 14 },
      [UPDATE, CREATE, `${ZERO} ${second} refs/heads/longer`],
      [
        'ng refs/heads/main ref name exceeds the maximum of 14 bytes',
        'ok refs/heads/new',
        'ng refs/heads/longer ref name exceeds the maximum of 14 bytes',
      ],
    ],
    [
      'many refs',
      { maxRefUpdates: 1 },
      [UPDATE, CREATE],
      [
        'ng refs/heads/main push of 2 refs exceeds the maximum of 1',
        'ng refs/heads/new push of 2 refs exceeds the maximum of 1',
      ],
    ],
    [
      'many objects',
      { maxObjects: 1 },
      [UPDATE, TAG],
      [
        'ng refs/heads/main pack has 2 objects, which exceeds the maximum of 1',
        'ng refs/tags/v1 pack has 2 objects, which exceeds the maximum of 1',
      ],
    ],
    [
      'large objects',
      { maxObjectBytes: 100 },
      [UPDATE],
      [`ng refs/heads/main object of ${child.length} bytes exceeds the maximum of 100`],
    ],
    ['a large pack', { maxInputSize: 100 }, [UPDATE], ['ng refs/heads/main unpacker error']],
  ]
  it.each(cases)('refuse %s, with the reason beside the ref', async (name, options, commands, lines) => {
    const root = rawCommit(rawObjectId('tree', tree), [], 'root\n')
    const pack = encodeRawPack([
      { type: 'commit', body: child },
      { type: 'commit', body: root },
    ])
    const { report } = await push(await prepare(), commands, options, {
      pack: name.includes('large') ? secondPack : pack,
    })
    expect(report.slice(1, -1)).toEqual(lines)
  })

  it('let a tag be made, and then neither moved nor deleted', async () => {
    const served = await prepare()
    const options = { immutableTags: true }
    expect((await push(served, [TAG], options)).report).toContain('ok refs/tags/v1')
    expect((await push(served, [`${second} ${first} refs/tags/v1`], options)).report).toContain(
      'ng refs/tags/v1 immutable tag',
    )
    expect((await push(served, [`${second} ${ZERO} refs/tags/v1`], options)).report).toContain(
      'ng refs/tags/v1 immutable tag',
    )
    expect(await git(['rev-parse', 'v1'], { cwd: served })).toBe(second)
  })

  it('that can never match are an error of their author', async () => {
    const served = await prepare()
    await expect(push(served, [UPDATE], { protectedRefs: ['main'] })).rejects.toThrow(/refs\/heads\/main/)
  })
})
