import { isGitError, type GitErrorCode } from '../../errors.ts'

/** Fails the running case. */
export function fail(message: string): never {
  throw new Error(message)
}

/** Fails unless a condition holds; `message` says what was found and what was expected. */
export function assertTrue(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message)
}

/** Fails unless two plain values (of objects, arrays, strings, numbers, …) are the same. */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [show(actual), show(expected)]
  if (found !== wanted) fail(`${what}: found ${shorten(found)}, expected ${shorten(wanted)}`)
}

/** Fails unless two byte strings are the same; says where they begin to differ. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (actual.length !== expected.length) {
    fail(`${what}: found ${actual.length} bytes, expected ${expected.length}`)
  }
  const at = actual.findIndex((byte, index) => byte !== expected[index])
  if (at >= 0) fail(`${what}: byte ${at} is ${actual[at] ?? 'absent'}, expected ${expected[at] ?? 'none'}`)
}

/** Fails unless an action rejects with a GitError, of the given code where one is given. */
export async function assertRejects(
  action: () => Promise<unknown>,
  code: GitErrorCode | undefined,
  what: string,
): Promise<void> {
  const wanted = `expected it to reject with a GitError${code === undefined ? '' : ` of code ${code}`}`
  let result: unknown
  try {
    result = await action()
  } catch (error) {
    if (isGitError(error, code)) return
    const found = isGitError(error) ? `${error.code}: ${error.message}` : String(error)
    throw new Error(`${what}: rejected with ${found}; ${wanted}`, { cause: error })
  }
  fail(`${what}: resolved with ${shorten(show(result))}; ${wanted}`)
}

/** Writes a value down with keys in one order, leaving out properties that are undefined. */
function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part === undefined
        ? '(undefined)'
        : part,
  ) as string | undefined
  return (text ?? String(value)).replaceAll('"(undefined)"', 'undefined')
}

function shorten(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)}… (${text.length} characters)`
}
