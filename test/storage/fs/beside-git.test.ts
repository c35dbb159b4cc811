import { describe, expect, test } from 'vitest'
import type { RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import { git, gitLines, tryGit } from '../../support/git.ts'
import { listLeftovers } from '../../support/repositories.ts'
import { direct, edit, makeBare, verdicts, type BareFixture } from './fixture.ts'
import { packObjects, stagePack } from './pack-fixture.ts'

/** Runs git again and again for as long as the work goes on; resolves with how often it ran. */
async function besides(
  bare: BareFixture,
  args: readonly string[],
  work: () => Promise<void>,
): Promise<number> {
  const state = { over: false, rounds: 0 }
  const loop = async (): Promise<void> => {
    while (!state.over) {
      const result = await tryGit(args, { cwd: bare.path })
      // Git gives up where we hold a lock for longer than it waits; that is no fault of either.
      if (result.code !== 0 && !/Unable to create|unable to lock|cannot lock/i.test(result.stderr)) {
        throw new Error(`git ${args.join(' ')}: ${result.stderr}`)
      }
      state.rounds++
    }
  }
  const stopped = work().finally(() => {
    state.over = true
  })
  await Promise.all([stopped, loop()])
  return state.rounds
}

describe('beside a running git', () => {
  test('pack-refs in a loop never makes a ref disappear, step back or show half a transaction', async () => {
    const bare = await makeBare({ commits: 2 })
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/still', one)
    const [writer, reader] = [await bare.open({ durable: false }), await bare.open()]
    const names = ['refs/heads/a', 'refs/heads/b', 'refs/heads/still']
    await verdicts(writer, [edit('refs/heads/a', one), edit('refs/heads/b', one)], true)
    const state = { over: false }
    const observe = async (): Promise<void> => {
      while (!state.over) {
        const [a, b, still] = await reader.readRefs(names)
        expect([a?.target, still?.target]).toEqual([b?.target, direct(one)])
        const listed = await reader.listRefs('refs/heads/')
        expect(listed.map((ref) => ref.name)).toEqual(names)
        expect(listed[0]?.target).toEqual(listed[1]?.target)
      }
    }
    await besides(bare, ['pack-refs', '--all'], async () => {
      const watching = observe()
      for (let at = 0; at < 60; at++) {
        const [from, to] = at % 2 === 0 ? [one, two] : [two, one]
        const refs = ['refs/heads/a', 'refs/heads/b'].map((name) => edit(name, to, { kind: 'id', id: from }))
        while ((await verdicts(writer, refs, true))[0] !== 'applied')
          expect(await bare.refs()).toHaveLength(3)
        // Single edits make loose files again, for pack-refs to pack and for the next transaction to fold.
        expect(['applied', 'locked']).toContain((await verdicts(writer, [edit('refs/heads/still', one)]))[0])
      }
      state.over = true
      await watching
    })
    expect(await bare.refs()).toEqual(names.map((name) => `${name} ${one}`))
    expect(await listLeftovers(bare.path)).toEqual([])
  })

  test('no update is lost when git and we compare and swap the same ref', async () => {
    const bare = await makeBare({ commits: 0 })
    const chain = await makeChain(bare.path, 60)
    const counter = 'refs/heads/counter'
    await bare.git('update-ref', counter, chain[0] ?? '')
    const tally = { ours: 0, theirs: 0 }
    const indexOf = (id: string): number => chain.indexOf(id)
    const ours = async (repository: RepositoryStorage): Promise<void> => {
      for (;;) {
        const [ref] = await repository.readRefs([counter])
        const current = ref?.target.kind === 'direct' ? ref.target.id : ''
        const next = chain[indexOf(current) + 1]
        if (next === undefined) return
        const [verdict] = await verdicts(repository, [edit(counter, next, { kind: 'id', id: current })])
        if (verdict === 'applied') tally.ours++
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const theirs = async (): Promise<void> => {
      for (;;) {
        const current = await bare.git('rev-parse', counter)
        const next = chain[indexOf(current) + 1]
        if (next === undefined) return
        if ((await tryGit(['update-ref', counter, next, current], { cwd: bare.path })).code === 0)
          tally.theirs++
      }
    }
    const [first, second] = [await bare.open(), await bare.open()]
    await Promise.all([ours(first), ours(second), theirs(), theirs()])
    expect(tally.ours + tally.theirs).toBe(chain.length - 1)
    expect(await bare.refs()).toEqual([`${counter} ${chain.at(-1) ?? ''}`])
  })

  test('repack -ad in a loop never takes away a pack that a commit has just added', async () => {
    const source = await makeBare({ commits: 0 })
    const bare = await makeBare({ commits: 0 })
    const chain = await makeChain(source.path, 12)
    const packs = await Promise.all(
      chain.map((tip, at) => packObjects(source.path, at === 0 ? [tip] : [tip, `^${chain[at - 1] ?? ''}`])),
    )
    const repository = await bare.open()
    await besides(bare, ['repack', '-adq'], async () => {
      for (const [at, pack] of packs.entries()) {
        const refs = [edit('refs/heads/main', chain[at] ?? '')]
        const result = await repository.commit({ addPacks: [await stagePack(repository, pack)], refs })
        expect(result.packsCommitted).toBe(true)
        for (const { name } of await repository.listPacks()) {
          await repository.openPackFile(name, 'pack').then(
            (file) => file.close(),
            (error: unknown) => {
              expect(error).toMatchObject({ code: 'NOT_FOUND' })
            },
          )
        }
      }
    })
    expect((await tryGit(['fsck', '--full', '--strict'], { cwd: bare.path })).code).toBe(0)
    expect(await bare.git('rev-list', '--count', 'main')).toBe(String(chain.length))
    expect(await listLeftovers(bare.path)).toEqual([])
  })

  test('git gc, commit-graph and reflog expiry leave a repository that we read as git does', async () => {
    const bare = await makeBare({ commits: 0, config: ['core.logAllRefUpdates=true'] })
    const chain = await makeChain(bare.path, 5)
    const repository = await bare.open()
    const reflog = { identity: 'A <a@example.com>', time: 1600000000, timezone: 0, message: 'push' }
    for (const id of chain) await repository.commit({ refs: [{ ...edit('refs/heads/main', id), reflog }] })
    await bare.git('gc', '-q', '--prune=now')
    await bare.git('commit-graph', 'write', '--reachable')
    expect(await repository.readRefs(['refs/heads/main'])).toEqual([
      { name: 'refs/heads/main', target: direct(chain.at(-1) ?? ''), peeled: null },
    ])
    await bare.git('reflog', 'expire', '--expire=now', '--all')
    await repository.commit({ refs: [{ ...edit('refs/heads/main', chain[0] ?? ''), reflog }] })
    expect(await gitLines(['reflog', 'show', '--format=%H', 'main'], { cwd: bare.path })).toEqual([chain[0]])
    expect((await tryGit(['fsck', '--strict'], { cwd: bare.path })).code).toBe(0)
  })
})

/** Makes a line of commits, oldest first, that no ref names when it is done. */
async function makeChain(path: string, length: number): Promise<string[]> {
  const input = Array.from(
    { length },
    (_, at) =>
      `commit refs/made/chain\ncommitter A <a@example.com> ${1600000000 + at} +0000\ndata 1\n${at % 10}\n`,
  )
  await git(['fast-import', '--quiet'], { cwd: path, input: `${input.join('\n')}\n` })
  const ids = await gitLines(['rev-list', '--reverse', 'refs/made/chain'], { cwd: path })
  await git(['update-ref', '-d', 'refs/made/chain'], { cwd: path })
  return ids
}
