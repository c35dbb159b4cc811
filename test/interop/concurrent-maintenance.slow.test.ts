import { expect, it } from 'vitest'
import { runConcurrentMaintenance } from '../support/concurrent-maintenance.ts'
import { useScratch, useServer } from '../support/hooks.ts'

const scratch = useScratch()
const server = useServer(scratch)

it('git maintains a repository and pushes to it while it is served: no request fails, nothing is lost, for minutes', async () => {
  const report = await runConcurrentMaintenance(server, scratch, 240)
  expect(report.failures).toEqual([])
  expect(report.faults).toEqual([])
  for (const kind of ['maintenance', 'push', 'push over a path', 'clone', 'fetch']) {
    expect(report.counts[kind], kind).toBeGreaterThan(1)
  }
})
