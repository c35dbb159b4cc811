import { describe, expect, test } from 'vitest'
import { createTestHub } from '../support.ts'
import { answerImports } from './binding-case.ts'
import { BINDING_CASES } from './contract.ts'

describe('the binding in process', () => {
  test.each(BINDING_CASES)('$name', async ({ run }) => {
    const { hub } = createTestHub({ limits: { readBytes: 5000 }, imports: { fetch: answerImports } })
    await run(hub.artifacts('team'))
    await hub.close()
  })

  test('is refused for what is no namespace', () => {
    const { hub } = createTestHub()
    expect(() => hub.artifacts('-')).toThrow('Invalid namespace name')
  })
})
