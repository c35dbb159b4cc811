import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { indexPack } from '../../src/pack/indexer/index-pack.ts'
import type * as threadsModule from '../../src/hosts/threads/index.ts'
import type { IndexerThreads } from '../../src/pack/indexer/indexer-threads.ts'
import { packRevisions, type GitPack } from '../pack/git-packs.ts'
import { git } from '../support/git.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { installDeno } from '../support/hubs/install-deno.ts'
import { createRandom } from '../support/random.ts'
import { packstoneCommand } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
const served = useServer(scratch, 'packstone', { args: ['--threads', '3'] })
const alone = useServer(scratch, 'packstone')
let repository: string
let stored: GitPack

/** A pack of several parts, some MB, with chains of deltas. */
beforeAll(async () => {
  repository = scratch.fresh('a.git')
  await git(['init', '--quiet', '--bare', '--initial-branch=main', repository])
  await git(['fast-import', '--quiet'], { cwd: repository, input: importStream() })
  stored = await packRevisions(repository, scratch.path, ['--delta-base-offset'])
})

function importStream(): Buffer {
  const random = createRandom(7)
  const files = Array.from({ length: 60 }, () => Buffer.from(random.bytes(40_000)).toString('base64'))
  const pieces: string[] = []
  for (let commit = 0; commit < 40; commit++) {
    pieces.push(`commit refs/heads/main\ncommitter A <a@example.com> ${1_600_000_000 + commit} +0000\n`)
    pieces.push(`data <<END\ncommit ${commit}\nEND\n`)
    files.forEach((text, k) => {
      if (commit > 0 && !random.chance(0.1)) return
      const at = random.below(text.length)
      const changed = `${text.slice(0, at)} ${commit} ${text.slice(at)}`
      files[k] = changed
      pieces.push(`M 100644 inline d${k % 7}/f${k}\ndata ${changed.length}\n${changed}\n`)
    })
  }
  return Buffer.from(pieces.join(''))
}

test.each([
  ['Node', () => Promise.resolve([process.execPath]), '4'],
  ['Bun', () => Promise.resolve([resolve('node_modules/.bin/bun')]), '2'],
  [
    'Deno',
    async () => [...(await installDeno()), 'run', '--allow-all', '--node-modules-dir=manual', '--no-check'],
    '2',
  ],
] as const)('index-pack makes the index of git with several threads on %s', async (_, start, count) => {
  const [program = '', ...before] = await start()
  const out = scratch.fresh('a.idx')
  const options = ['--threads', count, '--collision-detection', '--out', out]
  const file = join(scratch.path, `${stored.name}.pack`)
  await promisify(execFile)(program, [...before, packstoneCommand(), 'index-pack', ...options, file])
  expect((await readFile(out)).equals(stored.index)).toBe(true)
})

test('other threads read the parts that they take', async () => {
  // The built one, beside which the file lies that a thread runs.
  const built = pathToFileURL(join(dirname(packstoneCommand()), 'threads.js')).href
  const { createThreads } = (await import(built)) as typeof threadsModule
  const codecs = createNodeCodecs()
  const threads = createThreads({ count: 3 })
  try {
    let parts = 0
    const watched: IndexerThreads = {
      ...threads,
      scan: async (shared) => {
        const taken = new Int32Array(new SharedArrayBuffer(shared.taken.byteLength))
        shared.taken.fill(1, 1)
        const scanned = await threads.scan({ ...shared, taken })
        parts += scanned.length
        return scanned
      },
    }
    const { index } = await indexPack(stored.pack, {
      format: objectFormat('sha1', codecs),
      codecs,
      threads: watched,
    })
    expect(Buffer.compare(index, stored.index)).toBe(0)
    expect(parts).toBeGreaterThan(3)
  } finally {
    await threads.close()
  }
})

test('a server receives with threads what it receives without, thin packs included', async () => {
  const made: (readonly (readonly [string, string])[])[] = []
  for (const server of [served, alone]) {
    const path = await server.createRepository('a.git', { 'receive.autogc': 'false' })
    await git(['-c', 'pack.threads=1', 'push', '--quiet', server.url('a.git'), 'main~10:refs/heads/main'], {
      cwd: repository,
    })
    await git(['-c', 'pack.threads=1', 'push', '--quiet', server.url('a.git'), 'main:refs/heads/main'], {
      cwd: repository,
    })
    await git(['fsck', '--strict', '--full'], { cwd: path })
    expect(await git(['rev-parse', 'main'], { cwd: path })).toBe(
      await git(['rev-parse', 'main'], { cwd: repository }),
    )
    made.push(await readPackFolder(join(path, 'objects/pack')))
  }
  expect(made[0]?.length).toBeGreaterThan(3)
  expect(made[0]).toEqual(made[1])
})

async function readPackFolder(folder: string): Promise<[string, string][]> {
  const names = (await readdir(folder)).filter((name) => /\.(pack|idx)$/.test(name)).sort()
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const bytes = await readFile(join(folder, name))
      return [name, Buffer.from(await crypto.subtle.digest('SHA-1', bytes)).toString('hex')]
    }),
  )
}

test('a damaged pack is refused as by one thread', async () => {
  const { pack } = stored
  for (const at of [0.3, 0.6, 0.95].map((part) => Math.floor(part * pack.length))) {
    const damaged = Buffer.from(pack)
    damaged[at]! ^= 0x15
    const file = scratch.fresh('damaged.pack')
    await writeFile(file, damaged)
    const [one, two] = await Promise.all([
      runPackstone(['index-pack', file]),
      runPackstone(['index-pack', '--threads', '2', file]),
    ])
    expect(one.code).toBe(1)
    expect([two.code, two.stderr]).toEqual([1, one.stderr])
  }
})
