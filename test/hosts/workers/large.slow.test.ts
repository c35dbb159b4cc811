import { randomFillSync } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { RestClient, withToken, type Created } from '../../support/hubs/rest-client.ts'
import { startWorker, type RunningWorker } from '../../support/hubs/start-worker.ts'

const scratch = useScratch()
const MEGABYTE = 1 << 20
const FILES = 64
const FILE_BYTES = 5 * MEGABYTE
let worker: RunningWorker

beforeAll(async () => {
  worker = await startWorker({ bindings: { MAINTENANCE_DELAY: '3600' }, keep: scratch.fresh('state') })
})
afterAll(() => worker.close())

/** The most memory that workerd, with all its isolates and all that stands in for R2, has ever had in use, in MiB. */
async function peakMegabytes(): Promise<number> {
  let peak = 0
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1')
      if (!command.includes('workerd')) continue
      const status = await readFile(`/proc/${pid}/status`, 'latin1')
      peak = Math.max(peak, Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024)
    } catch (error) {
      if (error instanceof Error && 'code' in error) continue
      throw error
    }
  }
  return peak
}

test('a pack of more than 300 MB is pushed to a Worker and cloned from it', async () => {
  const demo = await new RestClient(worker).call<Created>('POST', '/namespaces/team/repos', { name: 'large' })
  const work = scratch.fresh('work')
  await git(['init', '--quiet', '-b', 'main', work])
  for (let file = 0; file < FILES; file++) {
    await writeFile(join(work, `file-${file}`), randomFillSync(Buffer.alloc(FILE_BYTES)))
  }
  await git(['-c', 'core.compression=0', 'add', '.'], { cwd: work })
  await git(['commit', '--quiet', '-m', 'Large'], { cwd: work })
  await git(['-c', 'core.compression=0', 'push', '--quiet', withToken(demo), 'main'], {
    cwd: work,
    timeout: 600_000,
  })
  const afterPush = await peakMegabytes()
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--no-checkout', withToken(demo), clone], { timeout: 600_000 })
  await git(['fsck', '--strict'], { cwd: clone, timeout: 600_000 })
  expect(await git(['rev-parse', 'HEAD'], { cwd: clone })).toBe(
    await git(['rev-parse', 'HEAD'], { cwd: work }),
  )
  const peak = await peakMegabytes()
  console.log(
    `peak of workerd: ${afterPush.toFixed(0)} MiB after the push, ${peak.toFixed(0)} MiB after the clone`,
  )
  // Less than the pack and what workerd takes for itself: nothing holds the pack.
  expect(peak).toBeLessThan(400)
}, 1_200_000)
