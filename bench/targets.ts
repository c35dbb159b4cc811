/** What each job should reach, as ratios to its baseline (smaller is better) for the two codec providers, or as amounts. */
export const TARGETS = {
  /** A pack of 20 MB or more, one process from start to end, against `git index-pack --threads=1`. */
  indexPackLarge: { node: 0.45, portable: 0.9 },
  /** The same with a SHA-1 that detects collision attacks, as git's does. */
  indexPackLargeDetecting: { node: 1.3, portable: 1.5 },
  /** With two threads, against git with as many as it likes on two cores. */
  indexPackTwoThreads: 0.9,
  /** Packs of some 7 MB: in a process that runs already, and in one of its own. */
  indexPackWarm: { node: 0.5, portable: 0.85 },
  indexPackSmall: { node: 1.1, portable: 1.5 },
  /** Full clones, time of the server, against `git http-backend`. */
  clone: { node: 0.2, portable: 0.3 },
  cloneAgainstBitmap: { node: 0.4, portable: 0.6 },
  cloneConsolidated: { node: 0.08, portable: 0.08 },
  refs: { node: 0.25, portable: 0.25 },
  fetch: { node: 0.7, portable: 1.0 },
  fetchBytes: 1.1,
  push: { node: 0.5, portable: 0.6 },
  /** Objects by id, against `git cat-file --batch --buffer`: in random order where chains are long, and otherwise. */
  readDeep: { node: 0.7, portable: 0.7 },
  read: { node: 1.3, portable: 1.3 },
  pack: { node: 2.0, portable: 2.6 },
  packBytes: 1.01,
  /** Against other implementations in JavaScript. */
  peers: { node: 1 / 5, portable: 1 / 3 },
  peersLarge: { node: 1 / 15, portable: 1 / 8 },
  /** Peak memory with the pack resident: so many MB, and so many times the pack. */
  residentMegabytes: 64,
  residentPacks: 2,
  /** Peak memory, in all, for a pack of 1 GB with 500 000 objects, and how soon the pack of a clone of it begins. */
  windowedMegabytes: 160,
  firstByteMilliseconds: 200,
  /** A fork, against `git clone --bare --shared`, which starts a process. */
  fork: 1,
  /** One answer of the hub's registry about a namespace of many repositories, in milliseconds. */
  registryMilliseconds: 10,
  /** Requests to a bucket: for one file, and for a clone beside one for each 8 MiB of it. */
  readRequests: 6,
  cloneRequests: 10,
  /** What loading the engine adds to an empty process, in milliseconds. */
  importMilliseconds: 20,
} as const

/** From this size on a pack counts as large, in bytes. */
export const LARGE_PACK = 20_000_000

/** From this average length of delta chains on a pack counts as one of deep chains. */
export const DEEP_CHAIN = 15

export type Provider = 'node' | 'portable'
export const PROVIDERS: readonly Provider[] = ['node', 'portable']
