import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import type { Codecs } from '../../src/codec/ports.ts'
import { planPack, type PackRequest } from '../../src/repository/outgoing-pack.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { git, gitLines } from '../support/git.ts'
import { createHistory, HISTORY_NAMES, type HistoryName } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { findFaults, listReachable, readRefLines } from '../support/repositories.ts'

const scratch = useScratch()

/** Writes the pack that answers a request; resolves with its bytes. */
async function writePack(repository: string, request: Partial<PackRequest>, codecs: Codecs): Promise<Buffer> {
  const storage = await openBareRepository(repository)
  if (storage === undefined) throw new Error(`${repository} is no bare repository`)
  const opened = openRepository(storage, { codecs })
  const view = await opened.openView()
  try {
    const plan = await planPack(view, {
      wants: [],
      haves: [],
      clientShallow: [],
      shallow: [],
      unshallow: [],
      thin: false,
      ofsDelta: true,
      includeTags: [],
      ...request,
    })
    const chunks: Buffer[] = []
    for await (const chunk of plan.write()) chunks.push(Buffer.from(chunk))
    const pack = Buffer.concat(chunks)
    expect(pack.readUInt32BE(8)).toBe(plan.objectCount)
    return pack
  } finally {
    await view.close()
    await opened.close()
  }
}

/** A new repository that can read the objects of another one. */
async function createBeside(repository: string): Promise<string> {
  const path = scratch.fresh('beside')
  await git(['init', '--quiet', '--bare', path])
  await mkdir(join(path, 'objects/info'), { recursive: true })
  await writeFile(join(path, 'objects/info/alternates'), `${repository}/objects\n`)
  return path
}

/** Has git index a pack; resolves with the ids in it. */
async function indexWithGit(pack: Uint8Array, repository: string, ...args: string[]): Promise<string[]> {
  const printed = await git(['index-pack', '--stdin', ...args], { cwd: repository, input: pack })
  const path = join(repository, 'objects/pack', `pack-${printed.replace(/^\w+\t/, '')}.idx`)
  const lines = await gitLines(['verify-pack', '-v', path], { cwd: repository })
  return lines.flatMap((line) => /^([0-9a-f]{40}) /.exec(line)?.[1] ?? []).sort()
}

const PROVIDERS = { node: createNodeCodecs, portable: createPortableCodecs }

describe.each(HISTORY_NAMES)('packs written from the history %s', (name) => {
  let repository = ''

  beforeAll(async () => {
    repository = await createHistory(name, scratch.fresh(name), { scale: 0.2, seed: 11 })
  })

  it.each(['node', 'portable'] as const)(
    'with everything are accepted by git and whole, with %s codecs',
    async (provider) => {
      const wants = (await readRefLines(repository)).map((line) => line.split(' ')[1] ?? '')
      for (const ofsDelta of [true, false]) {
        const pack = await writePack(repository, { wants, ofsDelta }, PROVIDERS[provider]())
        const alone = scratch.fresh('alone')
        await git(['init', '--quiet', '--bare', alone])
        expect(await indexWithGit(pack, alone, '--strict')).toEqual(await listReachable(repository))
        expect(await findFaults(alone)).toEqual([])
      }
    },
  )
})

describe.each<HistoryName>(['source-like', 'merges', 'renames', 'binary', 'tiny-files'])(
  'packs written for a client that has a part of the history %s',
  (name) => {
    it('hold all it lacks, nothing it can be known to have, and complete with what it has', async () => {
      const repository = await createHistory(name, scratch.fresh(name), { scale: 0.5, seed: 12 })
      // As git repacks it, so that stored deltas are there to be reused.
      await git(['repack', '-adfq', '--depth=50', '--window=20'], { cwd: repository })
      const commits = await gitLines(['rev-list', '--all'], { cwd: repository })
      const random = createRandom(13)
      const codecs = createNodeCodecs()
      for (let round = 0; round < 12; round++) {
        const pick = (count: number): string[] => Array.from({ length: count }, () => random.pick(commits))
        const wants = pick(1 + random.below(3))
        const haves = pick(1 + random.below(3))
        const thin = round % 2 === 0
        const pack = await writePack(repository, { wants, haves, thin, ofsDelta: round % 3 > 0 }, codecs)
        const beside = await createBeside(repository)
        const packed = await indexWithGit(pack, beside, '--strict', ...(thin ? ['--fix-thin'] : []))

        const had = new Set(await listReachable(repository, haves))
        const lacking = (await listReachable(repository, wants)).filter((id) => !had.has(id))
        const gits = new Set(await listReachable(repository, [...wants, ...haves.map((id) => `^${id}`)]))
        expect(packed).toEqual(expect.arrayContaining(lacking))
        const needless = packed.filter((id) => !gits.has(id))
        if (thin) expect(needless.filter((id) => !had.has(id))).toEqual([])
        else expect(needless).toEqual([])
        expect(await findFaults(beside)).toEqual([])
      }
    })
  },
)
