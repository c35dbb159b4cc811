import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { git, tryGit } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { RestClient, withToken, type Created } from '../../support/hubs/rest-client.ts'
import { startWorker, type RunningWorker, type StartOptions } from '../../support/hubs/start-worker.ts'

const scratch = useScratch()
const running: RunningWorker[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.close()))
})

async function start(options: StartOptions): Promise<RunningWorker> {
  const worker = await startWorker({ program: join(import.meta.dirname, 'watched-worker.ts'), ...options })
  running.push(worker)
  return worker
}

/** What the object of a repository says about itself. */
async function ask<Answer>({ origin }: RunningWorker, id: string, question: string): Promise<Answer> {
  return (await (await fetch(`${origin}/object/${id}/${question}`)).json()) as Answer
}

/** Asks until the answer is as wanted; the test's own time is the limit. */
async function waitFor<Answer>(
  asking: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await asking()
    if (isWanted(answer)) return answer
    await new Promise((later) => setTimeout(later, 200))
  }
}

async function makeWork(): Promise<string> {
  const work = scratch.fresh('work')
  await git(['init', '--quiet', '-b', 'main', work])
  return work
}

async function commitAndPush(work: string, url: string, name: string): Promise<void> {
  await writeFile(join(work, name), `${name}\n`.repeat(100))
  await git(['add', '.'], { cwd: work })
  await git(['commit', '--quiet', '-m', name], { cwd: work })
  await git(['push', '--quiet', url, 'main'], { cwd: work })
}

const packNames = (packs: readonly { name: string }[]): string[] => packs.map(({ name }) => name)

test('alarms put the packs of many pushes together, and a clone is then that pack, byte for byte', async () => {
  const worker = await start({ bindings: { MAINTENANCE_DELAY: '3' } })
  const demo = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = await makeWork()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await commitAndPush(work, withToken(demo), name)
  const packs = await waitFor(
    () => ask<{ name: string; packSize: number }[]>(worker, demo.id, 'packs'),
    ({ length }) => length === 1,
  )
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--bare', withToken(demo), clone])
  const received = (await readdir(join(clone, 'objects/pack'))).filter((name) => name.endsWith('.pack'))
  // A pack is named by the checksum that it ends with.
  expect(received).toEqual(packNames(packs).map((name) => `${name}.pack`))
  await git(['fsck', '--strict'], { cwd: clone })
})

test('packs that are too large for a step are joined in an alarm when nobody has pushed for a while', async () => {
  const worker = await start({ bindings: { MAINTENANCE_DELAY: '1', CONSOLIDATION_DELAY: '2' } })
  const demo = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = await makeWork()
  await git(['config', 'core.compression', '0'], { cwd: work })
  for (const name of ['a', 'b']) {
    await writeFile(join(work, `large-${name}`), randomBytes(9 << 20))
    await commitAndPush(work, withToken(demo), name)
  }
  await commitAndPush(work, withToken(demo), 'c')
  const packs = await waitFor(
    () => ask<{ name: string; packSize: number }[]>(worker, demo.id, 'packs'),
    ({ length }) => length === 1,
  )
  expect(packs[0]?.packSize).toBeGreaterThan(18 << 20)
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--bare', withToken(demo), clone])
  const received = (await readdir(join(clone, 'objects/pack'))).filter((name) => name.endsWith('.pack'))
  expect(received).toEqual(packNames(packs).map((name) => `${name}.pack`))
  await git(['fsck', '--strict'], { cwd: clone })
})

test('of a deleted repository nothing is left, in the object and in the bucket, and its fork has everything', async () => {
  const worker = await start({ bindings: { GRACE_PERIOD: '1' } })
  const rest = new RestClient(worker)
  const demo = await rest.call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = await makeWork()
  await writeFile(
    join(work, 'large'),
    new Uint8Array(3_000_000).map((_, at) => (at * at * 31) >> 7),
  )
  await commitAndPush(work, withToken(demo), 'a')
  await commitAndPush(work, withToken(demo), 'b')
  const fork = await rest.call<Created>('POST', '/namespaces/team/repos/demo/fork', { name: 'fork' })
  const bucket = await worker.miniflare.getR2Bucket('PACKS')

  await rest.call('DELETE', '/namespaces/team/repos/demo')
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', withToken(fork), clone])
  await git(['fsck', '--strict'], { cwd: clone })
  expect((await bucket.list()).objects.length).toBeGreaterThan(0)

  await rest.call('DELETE', '/namespaces/team/repos/fork')
  for (const { id } of [fork, demo]) {
    await waitFor(
      () => ask<number>(worker, id, 'tables'),
      (tables) => tables === 0,
    )
  }
  expect((await bucket.list()).objects.map(({ key }) => key)).toEqual([])
})

test('a repository goes on where it was when its object was stopped between pushes', async () => {
  const keep = scratch.fresh('state')
  const work = await makeWork()
  let demo: Created | undefined
  for (const name of ['a', 'b', 'c']) {
    const worker = await start({ keep })
    demo ??= await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
    const remote = demo.remote.replace(/^https?:\/\/[^/]+/, worker.origin)
    await commitAndPush(work, withToken({ remote, token: demo.token }), name)
    const clone = scratch.fresh(`clone-${name}`)
    await git(['clone', '--quiet', withToken({ remote, token: demo.token }), clone])
    expect(await git(['rev-parse', 'HEAD'], { cwd: clone })).toBe(
      await git(['rev-parse', 'HEAD'], { cwd: work }),
    )
    await worker.close()
    running.length = 0
  }
})

test('a repository goes on where it was when its object was evicted between pushes', async () => {
  const worker = await start({})
  const demo = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = await makeWork()
  const lives = new Set<string>()
  for (const name of ['a', 'b', 'c']) {
    await commitAndPush(work, withToken(demo), name)
    lives.add(await ask(worker, demo.id, 'life'))
    expect(await ask(worker, demo.id, 'evict')).toContain('evicted')
    const clone = scratch.fresh(`clone-${name}`)
    await git(['clone', '--quiet', withToken(demo), clone])
    expect(await git(['rev-parse', 'HEAD'], { cwd: clone })).toBe(
      await git(['rev-parse', 'HEAD'], { cwd: work }),
    )
    await git(['fsck', '--strict'], { cwd: clone })
  }
  expect(lives.size).toBe(3)
})

test('what was acknowledged is there when an object was evicted again and again during pushes', async () => {
  const worker = await start({})
  const demo = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = await makeWork()
  await writeFile(join(work, 'large'), randomBytes(3 << 20))
  await commitAndPush(work, withToken(demo), 'first')
  let acknowledged = await git(['rev-parse', 'HEAD'], { cwd: work })
  for (const name of ['a', 'b', 'c', 'd']) {
    await writeFile(join(work, name), randomBytes(3 << 20))
    await git(['add', '.'], { cwd: work })
    await git(['commit', '--quiet', '-m', name], { cwd: work })
    let isOver = false
    const pushing = tryGit(['push', '--quiet', withToken(demo), 'main'], { cwd: work }).finally(() => {
      isOver = true
    })
    while (!isOver) expect(await ask(worker, demo.id, 'evict')).toContain('evicted')
    if ((await pushing).code === 0) acknowledged = await git(['rev-parse', 'HEAD'], { cwd: work })
    const clone = scratch.fresh(`clone-${name}`)
    await git(['clone', '--quiet', withToken(demo), clone])
    await git(['merge-base', '--is-ancestor', acknowledged, 'HEAD'], { cwd: clone })
    await git(['fsck', '--strict'], { cwd: clone })
  }
  await commitAndPush(work, withToken(demo), 'last')
})
