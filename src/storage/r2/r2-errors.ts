import { GitError } from '../../errors.ts'

/** Codes of R2 (at the end of its messages, in brackets) after which the same call may succeed. 0: unspecified. */
const PASSING: ReadonlySet<number> = /* @__PURE__ */ new Set([0, 10001, 10043, 10054, 10058])

/** What a binding threw, as the port tells it: `UNAVAILABLE` where trying again may help, or nothing is known. */
export function r2Error(location: string, error: unknown): GitError {
  const message = error instanceof Error ? error.message : String(error)
  const code = /\((\d+)\)\s*$/.exec(message)?.[1]
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  const passes = code === undefined ? !isMisuse : PASSING.has(Number(code))
  return new GitError(passes ? 'UNAVAILABLE' : 'STORAGE', `${location}: ${message}`, {
    details: { status: code === undefined ? undefined : Number(code) },
    cause: error,
  })
}
