import { GitError } from '../errors.ts'
import { FSCK_MESSAGES, type FsckMessageId } from './fsck-messages.ts'
import type { FsckOptions } from './fsck-report.ts'

/** What the `<section>.fsck.*` settings of a config say. */
export interface FsckConfig {
  readonly severities: NonNullable<FsckOptions['severities']>
  /** Message ids that git does not know; git warns of them and goes on. */
  readonly unknownIds: readonly string[]
}

type ConfiguredSeverity = 'error' | 'warn' | 'ignore'

/**
 * Reads `<prefix>.<msg-id> = error | warn | ignore` from config entries; `prefix` is `fsck`, `fetch.fsck` or
 * `receive.fsck`. Keys compare without case and the last setting wins. `skipList`, a path, is left to the caller.
 *
 * @throws GitError `CORRUPT_CONFIG` for another severity, or one that demotes a fatal message.
 */
export function parseFsckConfig(
  entries: Iterable<{ readonly key: string; readonly value: string | undefined }>,
  prefix = 'receive.fsck',
): FsckConfig {
  const start = `${prefix.toLowerCase()}.`
  const severities: Partial<Record<FsckMessageId, ConfiguredSeverity>> = {}
  const unknownIds: string[] = []
  for (const { key, value } of entries) {
    const lowerKey = key.toLowerCase()
    if (!lowerKey.startsWith(start)) continue
    const name = lowerKey.slice(start.length)
    if (name === 'skiplist') continue
    const id = idOf(name)
    if (id === undefined) unknownIds.push(name)
    else severities[id] = parseSeverity(id, key, value)
  }
  return { severities, unknownIds }
}

function parseSeverity(id: FsckMessageId, key: string, value: string | undefined): ConfiguredSeverity {
  if (value !== 'error' && value !== 'warn' && value !== 'ignore') {
    throw new GitError('CORRUPT_CONFIG', `${key} is '${value ?? ''}'; expected error, warn or ignore`, {
      details: { key },
    })
  }
  if (FSCK_MESSAGES[id] === 'fatal' && value !== 'error') {
    throw new GitError('CORRUPT_CONFIG', `${key} cannot be '${value}': ${id} is always an error`, {
      details: { key },
    })
  }
  return value
}

/** The message that a setting names, in lower case. */
function idOf(name: string): FsckMessageId | undefined {
  return (Object.keys(FSCK_MESSAGES) as FsckMessageId[]).find((id) => id.toLowerCase() === name)
}
