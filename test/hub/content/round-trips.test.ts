import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import { repositoryKey } from '../../../src/hub/repositories/repository-id.ts'
import { openRepository } from '../../../src/repository/repository.ts'
import { inChunks } from '../../graph/views.ts'
import { openStorage } from '../../storage/manifest/fixture.ts'
import { createMemoryBucket } from '../../support/buckets/memory-bucket.ts'
import { countCalls, type BucketCall } from '../../support/buckets/wrapped-bucket.ts'
import { git, gitBytes, gitLines } from '../../support/git.ts'
import { openWorkTree } from '../../support/work-tree.ts'
import { createTestHub, type CreatedResult, type TestHub } from '../support.ts'

const bucket = createMemoryBucket({ partBytes: 8 << 20, maxParts: 10_000, maxDeletes: 1000 })
const registry = createMemoryRegistry()
const PATH = 'src/module-3/deep/file-3'
const CONTENT = 'file 3\n'.repeat(50)

let top: string
let commit: string
let tree: string
let blob: string

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-content-'))
  await git(['init', '-q', '-b', 'main', top])
  const work = openWorkTree(top)
  for (let at = 0; at < 6; at++) {
    // Large enough for the pack not to be read whole.
    await writeFile(join(top, `data-${at}`), randomBytes(1_000_000))
    const folder = join(top, 'src', `module-${at}`, 'deep')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `file-${at}`), `file ${at}\n`.repeat(50))
    commit = await work.commit(`note-${at}`, `note ${at}\n`)
  }
  ;[tree = '', blob = ''] = await gitLines(['rev-parse', 'main^{tree}', `main:${PATH}`], { cwd: top })
  const storage = openStorage(bucket)
  const { result } = createTestHub({ storage, registry })
  const { id } = await result<CreatedResult>('POST', '/namespaces/team/repos', { name: 'notes' })
  const stored = await storage.open(repositoryKey(id))
  if (stored === undefined) throw new Error('not there')
  const repository = openRepository(stored, { codecs: createNodeCodecs() })
  const pack = await gitBytes(['pack-objects', '--revs', '--stdout', '-q'], {
    cwd: top,
    input: `${commit}\n`,
  })
  const incoming = await repository.receivePack(inChunks(pack))
  const target = { kind: 'direct', id: commit } as const
  await incoming.commit([{ name: 'refs/heads/main', expect: { kind: 'absent' }, target }], { atomic: true })
  await repository.close()
}, 60_000)

afterAll(() => rm(top, { recursive: true, force: true }))

/** A hub that knows nothing but who there is, and the calls that it makes. */
function openCold(): TestHub & { readonly calls: BucketCall[] } {
  const { bucket: counted, calls } = countCalls(bucket)
  return { ...createTestHub({ storage: openStorage(counted), registry }), calls }
}

interface Reading {
  readonly name: string
  readonly read: (hub: TestHub) => Promise<string>
}

const bytesOf = async ({ call }: TestHub, path: string): Promise<string> =>
  (await call('GET', `/namespaces/team/repos/notes/${path}`)).text

describe('requests to a bucket, with the one that opens the repository,', () => {
  test.each<Reading>([
    { name: 'a file', read: (hub) => bytesOf(hub, `file?ref=main&path=${encodeURIComponent(PATH)}`) },
    { name: 'a file of HEAD', read: (hub) => bytesOf(hub, `file?path=${encodeURIComponent(PATH)}`) },
    { name: 'a file of a commit', read: (hub) => bytesOf(hub, `file?ref=${commit}&path=${PATH}`) },
    { name: 'a raw file', read: (hub) => bytesOf(hub, `raw/main/${PATH}`) },
    { name: 'a blob', read: (hub) => bytesOf(hub, `blob/${blob}`) },
    {
      name: 'a file through the binding',
      read: async ({ hub }) => {
        const repo = await hub.artifacts('team').get('notes')
        const file = await repo.readFile({ ref: 'main', path: PATH })
        return (await file?.text()) ?? ''
      },
    },
  ])(
    'of a process that knows nothing and reads $name: at most 6, and 1 for the next who does',
    async ({ read }) => {
      const hub = openCold()
      expect(await read(hub)).toBe(CONTENT)
      expect(hub.calls.length).toBeLessThanOrEqual(6)
      expect(hub.calls.filter(({ key }) => key.endsWith('.reachability'))).toEqual([])
      hub.calls.length = 0
      expect(await read(hub)).toBe(CONTENT)
      expect(hub.calls.map(({ method, key }) => `${method} ${key.slice(0, 2)}`)).toEqual(['get m/'])
    },
  )

  test.each([
    ['the history', (): string => 'log?limit=20', 'note-5'],
    ['a commit', (): string => `commit/${commit}`, 'note-5'],
    ['a tree', (): string => `tree/${tree}`, 'src'],
    ['refs', (): string => 'refs', 'refs/heads/main'],
    ['a difference', (): string => 'diff', 'note-5'],
  ])('of a process that knows nothing and reads %s: at most 6', async (_, path, word) => {
    const hub = openCold()
    expect(await bytesOf(hub, path())).toContain(word)
    expect(hub.calls.length).toBeLessThanOrEqual(6)
  })
})
