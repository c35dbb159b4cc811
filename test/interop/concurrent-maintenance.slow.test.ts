import { expect, it } from 'vitest'
import { runConcurrentMaintenance } from '../support/concurrent-maintenance.ts'
import { useScratch, useServer } from '../support/hooks.ts'

const scratch = useScratch()
const server = useServer(scratch)

it('git maintains a repository and pushes to it while it is served: no request fails, nothing is lost, for minutes', async () => {
  expect(await runConcurrentMaintenance(server, scratch, 240)).toEqual({ failures: [], faults: [] })
})
