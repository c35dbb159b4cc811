import { expect, test } from 'vitest'
import { checkedMaintenanceOptions } from '../../../src/repository/maintenance/maintenance-options.ts'
import { parsePackNote } from '../../../src/repository/maintenance/pack-note.ts'
import { gitError } from '../../support/git-error.ts'

test.each([
  [{ gracePeriod: -1 }, 'gracePeriod'],
  [{ gracePeriod: Number.NaN }, 'gracePeriod'],
  [{ factor: 1 }, 'factor'],
  [{ memoryBytes: 0 }, 'memoryBytes'],
  [{ budget: { milliseconds: 0 } }, 'budget.milliseconds'],
  [{ budget: { bytes: -5 } }, 'budget.bytes'],
  [{ budget: { joinBytes: -1 } }, 'budget.joinBytes'],
  [{ search: { window: -1 } }, 'window'],
])('the options %j are refused, and %s is named', (options, name) => {
  expect(() => checkedMaintenanceOptions(options)).toThrow(gitError('INVALID_ARGUMENT', name))
})

test('a short time makes steps small, and small steps take little memory', () => {
  const { maxStepBytes, memoryBytes } = checkedMaintenanceOptions({ budget: { milliseconds: 10_000 } })
  expect(maxStepBytes).toBe(5_000_000)
  expect(memoryBytes).toBe(20_000_000)
  expect(checkedMaintenanceOptions({}).maxStepBytes).toBe(Infinity)
})

test('what is no note of maintenance counts as none', () => {
  const texts = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"kind":"other"}',
    '{"kind":"searched"}',
    '{"kind":"tried","times":"1"}',
  ]
  for (const text of texts) expect(parsePackNote(text)).toBeUndefined()
  expect(parsePackNote('{"kind":"unreachable"}')).toEqual({ kind: 'unreachable' })
  expect(parsePackNote('{"kind":"searched","window":10,"depth":50}')).toEqual({
    kind: 'searched',
    window: 10,
    depth: 50,
  })
})
