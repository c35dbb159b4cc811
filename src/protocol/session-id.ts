/** A value for the `session-id` capability (gitprotocol-capabilities): printable, without blanks, never the same twice. */
export function createSessionId(): string {
  return globalThis.crypto.randomUUID()
}
