import { encodeHex } from '../../bytes/hex.ts'
import { encodeUtf8 } from '../../bytes/text.ts'

/** Which sink an outbox belongs to, and whose events wait there. */
export interface SinkOutbox {
  /** What {@link sinkKey} makes of the sink's name. */
  readonly sink: string
  readonly repository: string
}

/** A name of a sink in the letters that names of outboxes have. */
export function sinkKey(name: string): string {
  return encodeHex(encodeUtf8(name))
}

/** The name of the outbox in which events of a repository wait for one sink. No id of a repository looks like it. */
export function sinkOutboxName({ sink, repository }: SinkOutbox): string {
  return `sink-${sink}-${repository}`
}

/** Reads the name of an outbox; `undefined` for that of a repository. */
export function parseSinkOutboxName(name: string): SinkOutbox | undefined {
  const [, sink, repository] = /^sink-([0-9a-f]+)-(.+)$/.exec(name) ?? []
  return sink === undefined || repository === undefined ? undefined : { sink, repository }
}
