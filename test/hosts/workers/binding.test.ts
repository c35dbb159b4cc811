import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { withToken, type Created } from '../../support/hubs/rest-client.ts'
import { startWorker, type RunningWorker } from '../../support/hubs/start-worker.ts'

const scratch = useScratch()
let worker: RunningWorker

beforeAll(async () => {
  worker = await startWorker({
    client: join(import.meta.dirname, 'binding-client.ts'),
    bindings: { ORIGIN: 'https://git.example.com' },
  })
})
afterAll(() => worker.close())

test('another Worker creates, reads and forks through its binding what git pushes and clones', async () => {
  const client = await worker.miniflare.getWorker('client')
  const ask = async (path: string): Promise<string> => {
    const answer = await client.fetch(`http://client${path}`)
    if (answer.status !== 200)
      throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`)
    return answer.text()
  }
  const reach = ({ remote, token }: Created): string =>
    withToken({ remote: remote.replace('https://git.example.com', worker.origin), token })

  const demo = JSON.parse(await ask('/create/demo')) as Created
  const work = scratch.fresh('work')
  await git(['init', '--quiet', '-b', 'main', work])
  await writeFile(join(work, 'greeting'), 'hello\n')
  await git(['add', '.'], { cwd: work })
  await git(['commit', '--quiet', '-m', 'first'], { cwd: work })
  await git(['push', '--quiet', reach(demo), 'main'], { cwd: work })
  expect(await ask('/read/demo/greeting')).toBe('hello\n')

  const fork = JSON.parse(await ask('/fork/demo/copy')) as Created
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', reach(fork), clone])
  expect(await git(['rev-parse', 'HEAD'], { cwd: clone })).toBe(
    await git(['rev-parse', 'HEAD'], { cwd: work }),
  )
})
