import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { parseHex } from '../../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import type { ObjectFormatName } from '../../../src/object/object-format.ts'
import type { ObjectView } from '../../../src/odb/object-view.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import { createFsStorage } from '../../../src/storage/fs/index.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { FastImport } from '../../support/fast-import.ts'
import { git, gitBytes, gitLines } from '../../support/git.ts'
import { createRandom } from '../../support/random.ts'

export const codecs = createNodeCodecs()

export type StorageKind = 'memory' | 'fs' | 'sqlite'
export const STORAGE_KINDS = ['memory', 'fs', 'sqlite'] as const

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'packstone-fork-'))
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}

export async function createStorage(kind: StorageKind): Promise<{ storage: Storage; directory: string }> {
  const directory = await temporaryDirectory()
  const storage =
    kind === 'memory'
      ? createMemoryStorage()
      : kind === 'fs'
        ? createFsStorage({ directory, durable: false })
        : createSqliteStorage({ database: await openNodeDatabase({ path: join(directory, 'git.db') }) })
  onTestFinished(() => storage.close())
  return { storage, directory }
}

/** Opens a repository of a storage; it is closed after the test. */
export async function open(storage: Storage, key: string): Promise<Repository> {
  const stored = await storage.open(key)
  if (stored === undefined) throw new Error(`no repository ${key}`)
  const repository = openRepository(stored, { codecs })
  onTestFinished(() => repository.close())
  return repository
}

/** A random history of a few branches that share files and merge, as a bare repository of git. */
export async function makeHistory(
  seed: number,
  commits = 30,
  format: ObjectFormatName = 'sha1',
): Promise<string> {
  const path = join(await temporaryDirectory(), 'history.git')
  await mkdir(path)
  await git(['init', '-q', '--bare', '-b', 'main', `--object-format=${format}`, path])
  const random = createRandom(seed)
  const stream = new FastImport()
  const tips: number[] = []
  const body = Array.from({ length: 60 }, (_, line) => `line ${line} of ${seed}`)
  for (let at = 0; at < commits; at++) {
    const branch = at === 0 ? 0 : random.below(5)
    const held = tips[branch] ?? tips[0]
    const parents = held === undefined ? [] : [held]
    const other = tips[random.below(5)]
    if (other !== undefined && random.below(4) === 0 && !parents.includes(other)) parents.push(other)
    body[random.below(body.length)] = `changed by ${at} ${random.below(1 << 30)}`
    tips[branch] = stream.commit({
      ref: branch === 0 ? 'refs/heads/main' : `refs/heads/b${branch}`,
      parents,
      changes: [
        {
          kind: 'write',
          path: `dir${random.below(4)}/file${random.below(6)}`,
          content: `${body.join('\n')}\n`,
        },
        { kind: 'write', path: `own/${branch}/${random.below(3)}`, content: `own ${at}\n` },
      ],
    })
    if (random.below(6) === 0) stream.tag(`t${at}`, tips[branch] ?? 1, `tag ${at}\n`)
  }
  await stream.run(path)
  return path
}

export interface HistoryRef {
  readonly name: string
  readonly id: string
}

export async function readRefs(path: string): Promise<HistoryRef[]> {
  const lines = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], { cwd: path })
  return lines.map((line) => {
    const [name = '', id = ''] = line.split(' ')
    return { name, id }
  })
}

/** A pack of what some revisions reach, in the form of `git rev-list`. */
export function packOf(path: string, revisions: readonly string[], thin = false): Promise<Buffer> {
  const args = [
    'pack-objects',
    '--revs',
    '--stdout',
    '-q',
    '--delta-base-offset',
    ...(thin ? ['--thin'] : []),
  ]
  return gitBytes(args, { cwd: path, input: `${revisions.join('\n')}\n` })
}

/** Pushes into a repository, in process; throws where a push would be refused. */
export async function push(
  repository: Repository,
  pack: Uint8Array | undefined,
  refs: readonly HistoryRef[],
): Promise<void> {
  const incoming = await repository.receivePack(pack && once(pack))
  try {
    const missing = await incoming.findMissing(refs.map(({ id }) => id))
    if (missing !== undefined) throw new Error(`missing ${missing.type} ${missing.missing}`)
    const edits = refs.map(({ name, id }) => {
      return { name, expect: { kind: 'any' }, target: { kind: 'direct', id } } as const
    })
    const outcomes = await incoming.commit(edits, { atomic: false })
    const rejected = outcomes.find(({ kind }) => kind === 'rejected')
    if (rejected !== undefined) throw new Error(`rejected ${JSON.stringify(rejected)}`)
  } finally {
    await incoming.discard()
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Creates a repository and pushes all refs of a history to it, ref by ref in some pushes. */
export async function pushHistory(
  storage: Storage,
  key: string,
  path: string,
  pushes: number,
  objectFormat: ObjectFormatName = 'sha1',
): Promise<HistoryRef[]> {
  const stored = await storage.create(key, { objectFormat, head: 'refs/heads/main' })
  const repository = openRepository(stored, { codecs })
  const refs = await readRefs(path)
  const size = Math.ceil(refs.length / pushes)
  for (let at = 0; at < refs.length; at += size) {
    const part = refs.slice(at, at + size)
    const haves = refs.slice(0, at).map(({ id }) => `^${id}`)
    await push(repository, await packOf(path, [...part.map(({ id }) => id), ...haves], true), part)
  }
  await repository.close()
  return refs
}

/** Which of some objects a view has, by every way to ask it. */
export async function visibleIn(view: ObjectView, ids: readonly string[]): Promise<string[]> {
  const visible: string[] = []
  for (const id of ids) {
    const raw = parseHex(id)
    let has = view.tryHas(raw)
    while (has === undefined) {
      await view.settle()
      has = view.tryHas(raw)
    }
    const asked: ((id: Uint8Array) => unknown)[] = [
      (one) => view.tryRead(one),
      (one) => view.tryType(one),
      (one) => view.trySize(one),
    ]
    for (const ask of asked) {
      let found = ask(raw)
      while (found === undefined) {
        await view.settle()
        found = ask(raw)
      }
      if ((found !== null) !== has) throw new Error(`the view is not sure whether it has ${id}`)
    }
    if (!has && (view.locate(raw) ?? view.reachability.find(raw)) !== undefined)
      throw new Error(`${id} is located though it is not there`)
    if (has) visible.push(id)
  }
  return visible.sort()
}
