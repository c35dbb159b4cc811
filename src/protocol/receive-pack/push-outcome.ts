import { concatBytes } from '../../bytes/concat.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { encodePkt, FLUSH_PKT, MAX_PKT_PAYLOAD } from '../pkt-line.ts'
import type { PushCommand } from './push-request.ts'
import type { HookCommand, ProcReceiveReport } from './receive-hooks.ts'

/** What became of one command: no error means that it was done. */
export interface CommandOutcome {
  readonly command: PushCommand
  /** The reason in git's words. */
  error: string | undefined
  /** Whether a proc-receive hook answers for it. */
  isTakenOver: boolean
  /** What that hook says was done. */
  reports: readonly ProcReceiveReport[]
  /** Whether it turned out that there was nothing to do. */
  isVoid: boolean
}

/** A command of which nothing is known yet. */
export function openOutcome(command: PushCommand): CommandOutcome {
  return { command, error: undefined, isTakenOver: false, reports: [], isVoid: false }
}

/** Whether nothing speaks against the command so far. */
export function isOpen({ error }: CommandOutcome): boolean {
  return error === undefined
}

/** Refuses every command that nothing speaks against so far. */
export function refuseOpen(outcomes: readonly CommandOutcome[], error: string): void {
  for (const outcome of outcomes) outcome.error ??= error
}

/** A command as hooks see it. */
export function hookCommandOf({ command, error }: CommandOutcome): HookCommand {
  const { name, oldId, newId } = command
  return { name, oldId, newId, ...(error === undefined ? {} : { error }) }
}

/**
 * Encodes the report of a push (gitprotocol-pack, "Report Status"): one line for the pack, one for each command, and in version 2
 * what was changed in place of it.
 */
export function encodeReport(
  version: 1 | 2,
  unpackStatus: string,
  outcomes: readonly CommandOutcome[],
): Uint8Array {
  const lines = [`unpack ${unpackStatus}`]
  for (const { command, error, reports } of outcomes) {
    if (error !== undefined) lines.push(`ng ${command.name} ${error}`)
    else if (version === 1 || reports.length === 0) lines.push(`ok ${command.name}`)
    else for (const report of reports) lines.push(`ok ${command.name}`, ...optionLines(report))
  }
  return concatBytes([...lines.map(encodeReportLine), FLUSH_PKT])
}

function optionLines({ refName, oldId, newId, isForced }: ProcReceiveReport): string[] {
  return [
    ...(refName === undefined ? [] : [`option refname ${refName}`]),
    ...(oldId === undefined ? [] : [`option old-oid ${oldId}`]),
    ...(newId === undefined ? [] : [`option new-oid ${newId}`]),
    ...(isForced === true ? ['option forced-update'] : []),
  ]
}

function encodeReportLine(line: string): Uint8Array {
  const bytes = encodeUtf8(line.replaceAll('\n', ' '))
  return encodePkt(concatBytes([bytes.subarray(0, MAX_PKT_PAYLOAD - 1), encodeUtf8('\n')]))
}
