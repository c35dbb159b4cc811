/** What a peer may make the server hold in memory before a pack flows. Beyond it the request is refused. */
export interface ProtocolLimits {
  /** Bytes of packets in front of the pack, lengths included. */
  readonly maxRequestBytes: number
  /** Packets in front of the pack. */
  readonly maxPackets: number
  /** Ids a fetch may ask for. */
  readonly maxWants: number
  /** Ids a fetch may offer. */
  readonly maxHaves: number
  /** Ref updates in one push. */
  readonly maxCommands: number
  /** What `git push -o` says: options in one push. */
  readonly maxPushOptions: number
  /** `shallow` lines in one request. */
  readonly maxShallows: number
  /** `ref-prefix` lines in one `ls-refs`; beyond it all refs are listed, as git does. */
  readonly maxRefPrefixes: number
  /** Length of one ref name. */
  readonly maxRefNameLength: number
}

/** Generous for people, small for a server: some 64 MiB of packets at the very most. */
export const DEFAULT_PROTOCOL_LIMITS: ProtocolLimits = {
  maxRequestBytes: 64 * 1024 * 1024,
  maxPackets: 1_000_000,
  maxWants: 200_000,
  maxHaves: 200_000,
  maxCommands: 50_000,
  maxPushOptions: 1000,
  maxShallows: 100_000,
  maxRefPrefixes: 65_536,
  maxRefNameLength: 4096,
}
