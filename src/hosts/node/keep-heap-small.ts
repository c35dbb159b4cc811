import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Makes this process keep its heap small, at the price of collecting garbage more often: for servers with little memory. What is newly
 * made gets no more room than at the start, and the function returned, for `createMemoryBudget`, gives back what nobody holds at once.
 * Both hold for the whole process. Where the runtime is not V8 nothing happens.
 */
export function keepHeapSmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('globalThis.gc')
  return typeof collect === 'function' ? () => void Reflect.apply(collect, undefined, []) : () => undefined
}
