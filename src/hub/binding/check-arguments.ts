import { ArtifactsError } from '../artifacts-error.ts'

// Callers across RPC may send anything: what the types promise is checked here.

/** @throws ArtifactsError `INVALID_INPUT` unless it is an object or absent. */
export function checkOptions(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(what, 'must be an object')
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is a string or absent. */
export function checkString(value: unknown, what: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return value
  throw invalid(what, 'must be a string')
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is a boolean or absent. */
export function checkBoolean(value: unknown, what: string): boolean | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'boolean') return value
  throw invalid(what, 'must be a boolean')
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is a text that is not empty. */
export function checkText(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(what, `${what} required`)
  return value
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is the hash of an object. */
export function checkHash(value: unknown): string {
  const hash = checkText(value, 'hash')
  if (!/^[0-9a-f]{40}$/.test(hash)) throw invalid('hash', 'expected a 40-character SHA-1 hex hash')
  return hash
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is a positive integer or absent. */
export function checkPositive(value: unknown, what: string): number | undefined {
  if (value === undefined) return undefined
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value)
  throw invalid(what, 'must be a positive integer')
}

/** @throws ArtifactsError `INVALID_INPUT` unless it is a non-negative integer or absent. */
export function checkOffset(value: unknown, what: string): number | undefined {
  if (value === undefined) return undefined
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value)
  throw invalid(what, 'must be a non-negative integer')
}

export function invalid(what: string, problem: string): ArtifactsError {
  return new ArtifactsError('INVALID_INPUT', `Invalid ${what}: ${problem}.`)
}
