import { vi } from 'vitest'

/**
 * Repeats a check until it holds: for what is done in the background. It fails with what the check said last, after far longer than it
 * takes on a machine that has much else to do.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 110_000, interval: 20 })
}
