import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { RestClient, withToken, type Created } from '../../support/hubs/rest-client.ts'
import { startWorker, type RunningWorker } from '../../support/hubs/start-worker.ts'

const scratch = useScratch()
let worker: RunningWorker

beforeAll(async () => {
  worker = await startWorker({ client: join(import.meta.dirname, 'queue-consumer.ts'), events: true })
})
afterAll(() => worker.close())

test('a queue is told what happens to a repository, in order', async () => {
  const client = await worker.miniflare.getWorker('client')
  const rest = new RestClient(worker)
  const demo = await rest.call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
  const work = scratch.fresh('work')
  await git(['init', '--quiet', '-b', 'main', work])
  await git(['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: work })
  await git(['push', '--quiet', withToken(demo), 'main'], { cwd: work })
  await git(['clone', '--quiet', withToken(demo), scratch.fresh('clone')])

  let seen: string[] = []
  const waitForTypes = async (count: number): Promise<void> => {
    while (seen.length < count) {
      await new Promise((later) => setTimeout(later, 200))
      const types = (await (await client.fetch('http://client/')).json()) as string[]
      // At least once: what comes again says nothing new.
      seen = [...new Set(types.map((type) => type.replace(/^cf\.artifacts\./, '')))]
    }
  }
  const wanted = ['repo.created', 'repo.token.created', 'repo.pushed', 'repo.cloned', 'repo.deleted']
  // A clone does not wait until it is noted.
  await waitForTypes(wanted.length - 1)
  await rest.call('DELETE', '/namespaces/team/repos/demo')
  await waitForTypes(wanted.length)
  expect(seen).toEqual(wanted)
})
