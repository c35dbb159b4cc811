import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { writeLargePack } from '../support/large-pack.ts'
import { fetchLargePack, peakMegabytes, pushLargePack } from '../support/large-pack-traffic.ts'
import { startPackstone } from '../support/servers/packstone.ts'

const scratch = useScratch()
const MOST_MEGABYTES = 160

test('a pack of 1 GB and 500 000 objects is pushed and cloned with 160 MB of memory', async () => {
  const root = scratch.fresh('served')
  const repository = join(root, 'large.git')
  await git(['init', '-q', '--bare', repository])
  const pack = await writeLargePack(scratch.fresh('large.pack'), { commits: 2750, fileBytes: 2500 })
  expect(pack.objectCount).toBeGreaterThan(500_000)
  expect(pack.bytes).toBeGreaterThan(950_000_000)

  const args = ['--allow-push', '--quiet', '--memory-budget', '16']
  const server = await startPackstone(root, { args, nodeArgs: ['--max-old-space-size=64'] })
  try {
    const url = `${server.url}/large.git`
    expect(await pushLargePack(url, pack)).toContain('ok refs/heads/main')
    const afterPush = await peakMegabytes(server.pid)
    const cloned = await fetchLargePack(url, pack.tip)
    const peak = await peakMegabytes(server.pid)
    console.log(
      `peak memory ${afterPush.toFixed(0)} MB after the push, ${peak.toFixed(0)} MB after the clone; ` +
        `first byte of the clone after ${cloned.first.toFixed(0)} ms`,
    )
    expect(cloned.stated).toBe(cloned.found)
    expect(cloned).toMatchObject({ stated: pack.checksum, bytes: pack.bytes })
    expect(peak).toBeLessThanOrEqual(MOST_MEGABYTES)
  } finally {
    await server.close()
  }

  const packs = join(repository, 'objects', 'pack')
  const index = (await readdir(packs)).find((name) => name.endsWith('.idx'))
  await git(['index-pack', '-o', `${pack.path}.idx`, pack.path])
  const [mine, gits] = await Promise.all([readFile(join(packs, index ?? '')), readFile(`${pack.path}.idx`)])
  expect(Buffer.compare(mine, gits)).toBe(0)
  await rm(pack.path)
})
