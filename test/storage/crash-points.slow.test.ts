import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { FAULTS } from '../../src/storage/conformance/index.ts'
import {
  checkCrashPoints,
  CRASH_WORKS,
  makeCrashHistory,
  type CrashHistory,
} from '../support/crash-points.ts'
import { CRASH_ADAPTERS } from './crash-point-adapters.ts'

let top: string
let history: CrashHistory

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-crash-'))
  history = await makeCrashHistory(join(top, 'history.git'))
})

afterAll(() => rm(top, { recursive: true, force: true, maxRetries: 3 }))

describe.each(Object.keys(CRASH_ADAPTERS))('on %s', (name) => {
  test.each(CRASH_WORKS.flatMap((work) => FAULTS.map((fault) => [work, fault] as const)))(
    'a %s is safe when any one call of the storage meets with %s',
    { timeout: 300_000 },
    async (work, fault) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      try {
        const adapter = CRASH_ADAPTERS[name]?.(top)
        if (adapter === undefined) throw new Error(`no adapter ${name}`)
        // Maintenance makes hundreds of calls, most of them alike: on disk a third of them is looked at.
        const every = name !== 'memory' && (work === 'maintain' || work === 'gc') ? 3 : 1
        const calls = await checkCrashPoints(adapter, history, work, fault, every)
        expect(calls).toBeGreaterThan(work === 'delete' ? 0 : 8)
      } finally {
        vi.useRealTimers()
      }
    },
  )
})
