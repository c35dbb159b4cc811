import { randomFillSync } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { startR2Server, type R2Server } from '../../support/workers/r2-server.ts'
import { RestClient, withToken, type Created } from '../../support/hubs/rest-client.ts'
import {
  startWorkerd,
  type RunningWorkerd,
  type WorkerdOptions,
} from '../../support/workers/start-workerd.ts'

// The bucket is in another process, and nothing else is in workerd than the Worker with its objects. What V8 allocates has a limit that
// V8 enforces. Buffers are outside of its heap: they are what the peak of the whole process has more than at the start, heap included.
// Each part of the story has a workerd of its own, as an object that was evicted meanwhile, so that its peak is that of this part.

const scratch = useScratch()
/** What an isolate may have, in MiB. */
const LIMIT = 128
const V8_FLAGS = [`--max-heap-size=${LIMIT}`]
const FILES = 64
const FILE_BYTES = 5 << 20
const GIT = { timeout: 1_200_000 }
const running: RunningWorkerd[] = []
let bucket: R2Server | undefined

afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.close()))
  await bucket?.close()
})

async function start(options: WorkerdOptions): Promise<RunningWorkerd> {
  const worker = await startWorkerd({ v8Flags: V8_FLAGS, ...options })
  running.push(worker)
  return worker
}

/** Does something with a Worker that was just started, and holds what it takes of memory to the limit. */
async function within<T>(
  what: string,
  options: WorkerdOptions,
  run: (worker: RunningWorkerd) => Promise<T>,
): Promise<T> {
  const worker = await start(options)
  await (await fetch(`${worker.origin}/openapi.json`)).arrayBuffer()
  const idle = await worker.readUsage()
  const result = await run(worker)
  const { peak, cpu } = await worker.readUsage()
  const taken = peak - idle.peak
  console.log(
    `${what}: ${taken.toFixed(0)} MiB above ${idle.peak.toFixed(0)}, ${cpu - idle.cpu} ms of CPU time`,
  )
  await worker.close()
  running.length = 0
  expect(taken).toBeLessThan(LIMIT)
  return result
}

test('a Worker that takes more heap than an isolate has is ended', async () => {
  const folder = scratch.fresh('greedy')
  const program = scratch.fresh('greedy.js')
  const classes = ['RepositoryObject', 'RegistryObject'].map((name) => `export class ${name} {}`).join('\n')
  const fetchAll =
    'fetch() { const kept = []; for (;;) kept.push(new Array(100000).fill(kept.length + 0.5)) }'
  await writeFile(program, `${classes}\nexport default { ${fetchAll} }`)
  const worker = await start({ folder, program })
  await expect(fetch(worker.origin)).rejects.toThrow()
})

test('a repository of 300 MB is pushed to a Worker, joined in alarms and cloned, within the memory of an isolate', async () => {
  const program = join(import.meta.dirname, 'watched-worker.ts')
  const folder = scratch.fresh('state')
  bucket = await startR2Server(join(folder, 'bucket'))
  const never = { MAINTENANCE_DELAY: '3600', CONSOLIDATION_DELAY: '3600' }
  const idle: WorkerdOptions = { folder, program, bucket, bindings: never }
  const work = scratch.fresh('work')
  await git(['init', '--quiet', '-b', 'main', work])
  await git(['config', 'core.compression', '0'], { cwd: work })
  const commit = async (message: string): Promise<void> => {
    await git(['add', '.'], { cwd: work })
    await git(['commit', '--quiet', '-m', message], { cwd: work })
  }
  for (let file = 0; file < FILES; file++) {
    await writeFile(join(work, `file-${file}`), randomFillSync(Buffer.alloc(FILE_BYTES)))
  }
  await commit('Large')

  const demo = await within('push', idle, async (worker) => {
    const made = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', {
      name: 'large',
    })
    await git(['push', '--quiet', withToken(made), 'main'], { cwd: work, ...GIT })
    return made
  })
  const remoteOf = ({ origin }: RunningWorkerd): string =>
    withToken({ ...demo, remote: demo.remote.replace(/^https?:\/\/[^/]+/, origin) })
  const fetchClone = async (worker: RunningWorkerd): Promise<string> => {
    const clone = scratch.fresh('clone')
    await git(['clone', '--quiet', '--bare', remoteOf(worker), clone], GIT)
    expect(await git(['rev-parse', 'main'], { cwd: clone })).toBe(
      await git(['rev-parse', 'main'], { cwd: work }),
    )
    return clone
  }
  await git(['fsck', '--strict'], { cwd: await within('clone', idle, fetchClone), ...GIT })

  const soon: WorkerdOptions = { ...idle, bindings: { MAINTENANCE_DELAY: '1', CONSOLIDATION_DELAY: '2' } }
  const packs = await within('joining in alarms', soon, async (worker) => {
    for (const name of ['a', 'b', 'c']) {
      await writeFile(join(work, name), `${name}\n`)
      await commit(name)
      await git(['push', '--quiet', remoteOf(worker), 'main'], { cwd: work, ...GIT })
    }
    for (;;) {
      await new Promise((later) => setTimeout(later, 1000))
      const answer = await fetch(`${worker.origin}/object/${demo.id}/packs`)
      const listed = (await answer.json()) as readonly { readonly name: string }[]
      if (listed.length === 1) return listed
    }
  })

  const clone = await within('clone of the joined pack', idle, fetchClone)
  await git(['fsck', '--strict'], { cwd: clone, ...GIT })
  // A pack is named by the checksum that it ends with: what came is what is stored.
  const received = (await readdir(join(clone, 'objects/pack'))).filter((name) => name.endsWith('.pack'))
  expect(received).toEqual(packs.map(({ name }) => `${name}.pack`))
}, 3_000_000)
