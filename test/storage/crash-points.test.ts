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

/** All faults in memory; of the others, which the slow suite goes through in full, a sample. */
const SAMPLE = [
  ['memory', FAULTS, 1],
  ['sqlite', ['lose', 'stop'], 3],
  ['fs', ['lose', 'stop'], 7],
] as const

describe.each(SAMPLE)('on %s', (name, faults, every) => {
  test.each(CRASH_WORKS.flatMap((work) => faults.map((fault) => [work, fault] as const)))(
    'a %s is safe when a call of the storage meets with %s',
    { timeout: 60_000 },
    async (work, fault) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      try {
        const adapter = CRASH_ADAPTERS[name]?.(top)
        if (adapter === undefined) throw new Error(`no adapter ${name}`)
        const calls = await checkCrashPoints(adapter, history, work, fault, every)
        expect(calls).toBeGreaterThan(work === 'delete' ? 0 : 8)
      } finally {
        vi.useRealTimers()
      }
    },
  )
})
