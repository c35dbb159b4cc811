import { concatBytes } from '../../bytes/concat.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { encodePkt, FLUSH_PKT, MAX_PKT_PAYLOAD } from '../pkt-line.ts'
import type { PushCommand } from './push-request.ts'

/** What became of one command: no error means that it was done. */
export interface CommandOutcome {
  readonly command: PushCommand
  /** The reason in git's words. */
  error: string | undefined
}

/** Encodes the report of a push (gitprotocol-pack, "Report Status"): one line for the pack, one for each command. */
export function encodeReport(unpackStatus: string, outcomes: readonly CommandOutcome[]): Uint8Array {
  const lines = [
    `unpack ${unpackStatus}`,
    ...outcomes.map(({ command, error }) =>
      error === undefined ? `ok ${command.name}` : `ng ${command.name} ${error}`,
    ),
  ]
  return concatBytes([...lines.map(encodeReportLine), FLUSH_PKT])
}

function encodeReportLine(line: string): Uint8Array {
  const bytes = encodeUtf8(line.replaceAll('\n', ' '))
  return encodePkt(concatBytes([bytes.subarray(0, MAX_PKT_PAYLOAD - 1), encodeUtf8('\n')]))
}
