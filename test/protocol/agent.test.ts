import { expect, it } from 'vitest'
import { agentOf } from '../../src/protocol/agent.ts'
import packageJson from '../../package.json' with { type: 'json' }

it('the agent is this package in its version, or what it is told to be, in printable ASCII', () => {
  expect(agentOf({})).toBe(`packstone/${packageJson.version}`)
  expect(agentOf({ agent: 'my hub/1 é' })).toBe('my.hub/1..')
})
