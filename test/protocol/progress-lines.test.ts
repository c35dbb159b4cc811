import { describe, expect, it } from 'vitest'
import type { ProgressEvent } from '../../src/pack/progress.ts'
import { ProgressLines } from '../../src/protocol/progress-lines.ts'

function show(events: readonly ProgressEvent[], now: () => number = () => 0): string {
  const lines = new ProgressLines(now)
  return events.map((event) => lines.onEvent(event)).join('') + lines.finish()
}

describe('progress lines', () => {
  it('reads as git writes it', () => {
    const text = show([
      { phase: 'enumerating', done: 3 },
      { phase: 'enumerating', done: 5 },
      { phase: 'counting', done: 1, total: 2 },
      { phase: 'counting', done: 2, total: 2 },
      { phase: 'compressing', done: 1, total: 1 },
      { phase: 'writing', done: 5, total: 5 },
    ])
    expect(text).toBe(
      'Enumerating objects: 5, done.\n' +
        'Counting objects:  50% (1/2)\rCounting objects: 100% (2/2)\rCounting objects: 100% (2/2), done.\n' +
        'Compressing objects: 100% (1/1)\rCompressing objects: 100% (1/1), done.\n',
    )
  })

  it('shows a per cent once, however many events carry it', () => {
    const events = Array.from({ length: 100_001 }, (_, done): ProgressEvent => ({
      phase: 'resolving',
      done,
      total: 100_000,
    }))
    expect(show(events).split('\r').length).toBe(102)
  })

  it('shows a count of unknown total once a second', () => {
    let time = 0
    const events = Array.from({ length: 100 }, (_, done): ProgressEvent => ({ phase: 'enumerating', done }))
    const text = show(events, () => (time += 20))
    expect(text.split('\r').length).toBeLessThanOrEqual(3)
    expect(text.endsWith('Enumerating objects: 99, done.\n')).toBe(true)
  })

  it('says nothing of a phase that never began, nor of what only clients show', () => {
    expect(show([])).toBe('')
    expect(show([{ phase: 'counting', done: 0, total: 0 }])).toBe('')
    expect(show([{ phase: 'receiving', done: 1, total: 2 }])).toBe('')
  })
})
