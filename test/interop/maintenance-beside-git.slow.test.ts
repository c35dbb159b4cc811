import { expect, it } from 'vitest'
import { runConcurrentMaintenance } from '../support/concurrent-maintenance.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { maintainWithPackstone } from '../support/maintain-beside.ts'

const scratch = useScratch()
const server = useServer(scratch)

it('a repository is maintained by us and by git for a while as it is served: no request fails, nothing is lost', async () => {
  expect(await runConcurrentMaintenance(server, scratch, 90, maintainWithPackstone)).toEqual({
    failures: [],
    faults: [],
  })
})
