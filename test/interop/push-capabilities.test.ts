import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { exercised } from '../support/exercised.ts'
import { git, tryGit } from '../support/git.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { findFaults, listPacks, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

it('every capability of pushing is put to use by a stock client', async () => {
  const served = await server.createRepository('all.git', {
    'receive.advertisePushOptions': 'true',
    'transfer.advertiseSID': 'true',
    'receive.unpackLimit': '1',
  })
  const work = await cloneWorkTree(server.url('all.git'), scratch.fresh('work'))
  await work.git('config', 'transfer.advertiseSID', 'true')
  const trace = scratch.fresh('trace')
  const push = async (...args: readonly string[]): Promise<void> => {
    const result = await tryGit(['push', ...args], { cwd: work.path, env: { GIT_TRACE_PACKET: trace } })
    expect(result.code, result.stderr).toBe(0)
  }
  let text = ''
  for (let line = 0; line < 400; line++) text += `line ${line} that deltas are made of\n`
  await work.commit('file', `${text}one\n`)
  await work.commit('file', `${text}two\n`)
  await push('--quiet', '--atomic', '-o', 'an option', 'origin', 'main', 'main~1:refs/heads/old')
  await push('origin', ':old')

  const packets = await readFile(trace, 'utf8')
  exercised(packets, 'push/report-status', 'push/report-status-v2', 'push/delete-refs', 'push/side-band-64k')
  exercised(packets, 'push/quiet', 'push/atomic', 'push/push-options', 'push/session-id')
  exercised(packets, 'push/object-format', 'push/agent')
  expect(packets).toMatch(/> an option/)
  // The client says nothing of deltas on offsets: it sends them because it may.
  const [pack = ''] = await listPacks(served)
  expect(await git(['verify-pack', '--stat-only', `${pack}.idx`])).toContain('chain length = 1')
  exercised(packets, 'push/ofs-delta')
  expect(await readRefLines(served)).toHaveLength(1)
  expect(await findFaults(served)).toEqual([])
})
