import { describe, expect, it } from 'vitest'
import { git } from '../support/git.ts'
import { createHistory, HISTORY_NAMES } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { findFaults, listLeftovers, readContents } from '../support/repositories.ts'

const scratch = useScratch()
const server = useServer(scratch)

describe.each(HISTORY_NAMES)('the history %s', (name) => {
  it('goes in by push and out by clone unchanged, over every protocol version', async () => {
    const source = await createHistory(name, scratch.fresh(name))
    const contents = await readContents(source)
    for (const protocol of PROTOCOLS) {
      const repository = `${name}-v${protocol}.git`
      const served = await server.createRepository(repository)
      await git([...speaking(protocol), 'push', '--quiet', '--mirror', server.url(repository)], {
        cwd: source,
      })
      expect(await readContents(served)).toEqual(contents)

      const clone = scratch.fresh(`${name}-clone`)
      await git([...speaking(protocol), 'clone', '--quiet', '--mirror', server.url(repository), clone])
      expect(await readContents(clone)).toEqual(contents)

      expect(await findFaults(served)).toEqual([])
      expect(await findFaults(clone)).toEqual([])
      expect(await listLeftovers(served)).toEqual([])
    }
  })

  it('written by git itself is cloned in full', async () => {
    const served = await createHistory(name, server.path(`${name}-by-git.git`), { seed: 2 })
    const clone = scratch.fresh(`${name}-by-git`)
    await git(['clone', '--quiet', '--mirror', server.url(`${name}-by-git.git`), clone])
    expect(await readContents(clone)).toEqual(await readContents(served))
    expect(await findFaults(clone)).toEqual([])
  })
})
