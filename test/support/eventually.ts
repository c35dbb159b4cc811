import { vi } from 'vitest'

/** Repeats a check until it holds: for what is done in the background. It fails with what the check said last. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 })
}
