import { GitError } from '../errors.ts'
import { parseConfigEntries, type ConfigEntry } from './config-syntax.ts'

/**
 * The settings of one config file. Keys are `section.name` or `section.subsection.name`; section and name compare
 * without case, the subsection exactly.
 */
export interface GitConfig {
  /** Every setting in the order of the file, with its normalised key. A value of undefined means true. */
  readonly entries: readonly ConfigEntry[]
  /** The last value of the key; `'true'` for a name without a value. */
  get(key: string): string | undefined
  /** All values of the key in order. */
  getAll(key: string): readonly string[]
  /**
   * The last value as a boolean: `true`, `yes`, `on`, `false`, `no`, `off`, nothing (false) or a number.
   *
   * @throws GitError `CORRUPT_CONFIG` for any other value.
   */
  getBool(key: string, fallback: boolean): boolean
  /**
   * The last value as an integer, with an optional unit `k`, `m` or `g` (powers of 1024).
   *
   * @throws GitError `CORRUPT_CONFIG` for any other value.
   */
  getInt(key: string, fallback: number): number
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/**
 * Parses the text of a config file. Includes are not followed: they are settings like any other.
 *
 * @throws GitError `CORRUPT_CONFIG` with the line's number.
 */
export function parseGitConfig(text: string): GitConfig {
  const entries = [...parseConfigEntries(text)]
  const byKey = new Map<string, ConfigEntry[]>()
  for (const entry of entries) {
    const known = byKey.get(entry.key)
    if (known === undefined) byKey.set(entry.key, [entry])
    else known.push(entry)
  }
  const last = (key: string): ConfigEntry | undefined => byKey.get(normalizeConfigKey(key))?.at(-1)
  return {
    entries,
    get: (key) => {
      const entry = last(key)
      return entry === undefined ? undefined : (entry.value ?? 'true')
    },
    getAll: (key) => (byKey.get(normalizeConfigKey(key)) ?? []).map((entry) => entry.value ?? 'true'),
    getBool: (key, fallback) => {
      const entry = last(key)
      return entry === undefined ? fallback : parseBool(entry)
    },
    getInt: (key, fallback) => {
      const entry = last(key)
      return entry === undefined ? fallback : parseInteger(entry)
    },
  }
}

/** The key with section and name in lower case, as entries have it. */
export function normalizeConfigKey(key: string): string {
  const sectionEnd = key.indexOf('.')
  if (sectionEnd < 0) return key.toLowerCase()
  const nameAt = key.lastIndexOf('.')
  return (
    key.slice(0, sectionEnd).toLowerCase() + key.slice(sectionEnd, nameAt) + key.slice(nameAt).toLowerCase()
  )
}

function parseBool(entry: ConfigEntry): boolean {
  switch (entry.value?.toLowerCase()) {
    case undefined:
    case 'true':
    case 'yes':
    case 'on':
      return true
    case '':
    case 'false':
    case 'no':
    case 'off':
      return false
    default: {
      const number = tryParseInteger(entry.value ?? '')
      if (number === undefined) throw badValue(entry, 'a boolean (true or false)')
      return number !== 0
    }
  }
}

function parseInteger(entry: ConfigEntry): number {
  const number = tryParseInteger(entry.value ?? '')
  if (number === undefined) throw badValue(entry, 'an integer, optionally with k, m or g')
  return number
}

/** Decimal, `0x` hexadecimal or `0` octal, as C reads it, times its unit. */
function tryParseInteger(text: string): number | undefined {
  const match = /^\s*([+-]?)(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(text)
  if (match === null) return undefined
  const [, sign, digits = '', unit = ''] = match
  const octal = /^0[0-9]/.test(digits)
  if (octal && /[89]/.test(digits)) return undefined
  const size = (octal ? Number.parseInt(digits, 8) : Number(digits)) * (UNITS[unit.toLowerCase()] ?? 1)
  if (!Number.isSafeInteger(size)) return undefined
  return sign === '-' && size !== 0 ? -size : size
}

function badValue(entry: ConfigEntry, expected: string): GitError {
  const { key, line } = entry
  return new GitError(
    'CORRUPT_CONFIG',
    `${key} is '${entry.value ?? ''}' (line ${line}); expected ${expected}`,
    {
      details: { key, line },
    },
  )
}
