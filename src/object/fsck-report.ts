import { FSCK_MESSAGES, type FsckMessageId, type FsckSeverity } from './fsck-messages.ts'
import type { ObjectId } from './object-id.ts'

/** What a check found wrong with one object. */
export interface FsckFinding {
  readonly id: FsckMessageId
  readonly severity: Exclude<FsckSeverity, 'ignore'>
  readonly message: string
}

/** How strictly objects are checked. The empty object is git's `fsck` without arguments. */
export interface FsckOptions {
  /** Severities that differ from git's defaults. A `fatal` message cannot be demoted. */
  readonly severities?: Readonly<Partial<Record<FsckMessageId, 'error' | 'warn' | 'ignore'>>>
  /** Objects in which nothing is found. */
  readonly skip?: ReadonlySet<ObjectId>
  /** Makes errors of what is a warning by default, as `receive.fsckObjects` does. */
  readonly strict?: boolean
}

/** Tells whether the finding makes the object unacceptable, rather than merely odd. */
export function isFsckError(finding: FsckFinding): boolean {
  return finding.severity === 'error' || finding.severity === 'fatal'
}

/** The severity a message has under the options. */
export function fsckSeverity(id: FsckMessageId, options: FsckOptions): FsckSeverity {
  const standard = FSCK_MESSAGES[id]
  if (standard === 'fatal') return standard
  const chosen = options.severities?.[id]
  if (chosen !== undefined) return chosen
  return options.strict === true && standard === 'warn' ? 'error' : standard
}

/** Collects the findings of one object. */
export class FsckReport {
  readonly findings: FsckFinding[] = []
  readonly options: FsckOptions

  constructor(options: FsckOptions) {
    this.options = options
  }

  /** Notes a finding; true when it is an error, after which checks that read on from there must stop. */
  add(id: FsckMessageId, message: string): boolean {
    const severity = fsckSeverity(id, this.options)
    if (severity === 'ignore') return false
    this.findings.push({ id, severity, message })
    return severity === 'error' || severity === 'fatal'
  }
}
