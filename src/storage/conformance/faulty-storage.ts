import { GitError } from '../../errors.ts'
import type { Storage } from '../storage.ts'

/**
 * What happens to one call of a storage:
 * - `fail`: it is not carried out, and rejects.
 * - `lose`: it is carried out, and rejects: the reply was lost.
 * - `delay`: it is carried out a while later.
 * - `duplicate`: it is carried out twice, as by who lost the first reply and asked again, and answers what the first one did.
 * - `stop`: it and all calls after it are not carried out: the process died before.
 * - `stop-after`: it is carried out and none after it: the process died before it saw the reply.
 */
export type Fault = 'fail' | 'lose' | 'delay' | 'duplicate' | 'stop' | 'stop-after'

export const FAULTS: readonly Fault[] = /* @__PURE__ */ Object.freeze<Fault[]>([
  'fail',
  'lose',
  'delay',
  'duplicate',
  'stop',
  'stop-after',
])

/** Which call a fault befalls. */
export interface FaultPlan {
  readonly fault: Fault
  /** The number of the call, from 0 on; a number that is never reached lets everything happen as it should. */
  readonly at: number
}

/** A storage in which one call goes wrong. */
export interface FaultyStorage {
  readonly storage: Storage
  /** The names of the calls there were, e.g. `open`, `createFile`, `write`, `commit`. */
  readonly calls: readonly string[]
}

const DELAY = 5
/** What cannot be asked twice in the same words: a chunk of a file that is being written. */
const UNREPEATABLE = /* @__PURE__ */ new Set(['write'])
/** What the end of a process does too. */
const UNCOUNTED = /* @__PURE__ */ new Set(['close'])
/** What comes with a storage and asks nothing of it: functions that answer at once. */
const NOT_ASKED = /* @__PURE__ */ new Set(['formats'])

/**
 * Wraps a storage so that one of its calls goes wrong: those of the storage, of repositories, of files that are read and of files that are
 * written count alike, in the order they are made. To go through all of them, raise `at` from 0 until there were fewer calls.
 */
export function createFaultyStorage(storage: Storage, plan: FaultPlan): FaultyStorage {
  const calls: string[] = []
  const inner = new WeakMap<object, object>()
  let stopped = false

  const call = async (name: string, work: () => unknown): Promise<unknown> => {
    const fault = calls.push(name) - 1 === plan.at ? plan.fault : undefined
    if (stopped) throw broken(name, 'the process has died')
    if (fault === 'fail') throw broken(name, 'it was not carried out')
    if (fault === 'stop') {
      stopped = true
      throw broken(name, 'the process died before')
    }
    if (fault === 'delay') await new Promise((resolve) => setTimeout(resolve, DELAY))
    const result = await work()
    if (fault === 'lose' || fault === 'stop-after') {
      stopped = fault === 'stop-after'
      await letGo(result)
      throw broken(name, stopped ? 'the process died after it' : 'its reply was lost')
    }
    if (fault === 'duplicate' && !UNREPEATABLE.has(name))
      await Promise.resolve(work()).then(letGo, () => undefined)
    return result
  }
  const wrap = <T extends object>(target: T): T => {
    const wrapped = new Proxy(target, {
      get(object, name) {
        const member: unknown = Reflect.get(object, name, object)
        if (typeof name !== 'string' || NOT_ASKED.has(name)) return member
        if (isPort(member)) return wrap(member)
        if (typeof member !== 'function') return member
        const invoke = (args: readonly unknown[]): unknown => Reflect.apply(member, object, args.map(unwrap))
        if (UNCOUNTED.has(name)) return (...args: readonly unknown[]) => invoke(args)
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const result = await call(name, () => invoke(args))
          return isPort(result) ? wrap(result) : result
        }
      },
    })
    inner.set(wrapped, target)
    return wrapped
  }
  /** What is passed on must be the wrapped storage's own: the staged files that a commit names. */
  const unwrap = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    const own = inner.get(value)
    if (own !== undefined) return own
    if (Array.isArray(value)) return value.map(unwrap)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unwrap(part)]))
  }
  return { storage: wrap(storage), calls }
}

/** Closes what nobody will ever see, and gives a lock back, which the dead do not hold; a staged file stays where it is. */
async function letGo(result: unknown): Promise<void> {
  if (typeof result === 'function') await Reflect.apply(result, undefined, [])
  if (!isPort(result)) return
  const close: unknown = Reflect.get(result, 'close') ?? Reflect.get(result, 'discard')
  if (typeof close === 'function') await Reflect.apply(close, result, [])
}

/** Whether a value has methods: a repository, a file or a part of one of them, unlike the data that calls answer. */
function isPort(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    return false
  for (let at: unknown = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const properties = Object.values(Object.getOwnPropertyDescriptors(at))
    if (properties.some((property) => typeof property.value === 'function')) return true
  }
  return false
}

function broken(call: string, what: string): GitError {
  return new GitError('STORAGE', `a fault befell ${call}: ${what}`, { details: { call } })
}
