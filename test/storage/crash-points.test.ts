import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { FAULTS } from '../../src/storage/conformance/index.ts'
import { checkCrashPoints, makeCrashHistory, type CrashHistory } from '../support/crash-points.ts'
import { CRASH_ADAPTERS } from './crash-point-adapters.ts'

let top: string
let history: CrashHistory

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-crash-'))
  history = await makeCrashHistory(join(top, 'history.git'))
})

afterAll(() => rm(top, { recursive: true, force: true, maxRetries: 3 }))

/** A sample of what the slow suite goes through in full: kinds of work, faults, and every which call. */
const SAMPLE = [
  ['memory', ['push', 'fork', 'delete'], FAULTS, 1],
  ['memory', ['maintain', 'gc'], ['lose', 'stop'], 9],
  ['sqlite', ['push', 'fork', 'delete'], ['lose', 'stop'], 3],
  ['sqlite', ['gc'], ['stop-after'], 17],
  ['fs', ['push', 'fork', 'delete'], ['lose', 'stop'], 7],
  ['fs', ['gc'], ['stop-after'], 23],
] as const

describe.each(SAMPLE)('on %s', (name, works, faults, every) => {
  test.each(works.flatMap((work) => faults.map((fault) => [work, fault] as const)))(
    'a %s is safe when a call of the storage meets with %s',
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
