/** One thing that maintenance did. */
export type MaintenanceStep =
  | {
      readonly kind: 'repack'
      /** How: everything, a part of it as the budget allows, or small packs joined as they are. */
      readonly how: 'full' | 'part' | 'join'
      /** The new pack; absent when nothing was to be packed. */
      readonly added?: string
      /** The pack of unreachable objects; absent when there were none. */
      readonly unreachable?: string
      readonly dropped: readonly string[]
      /** Objects in the new pack. */
      readonly objectCount: number
      readonly unreachableCount: number
      /** Loose objects that are packed now and were removed. */
      readonly looseRemoved: number
    }
  /** Unreachable objects were removed for good. */
  | { readonly kind: 'expire'; readonly dropped: readonly string[]; readonly objectCount: number }
  /** A derived file was written: `reachability`, `bitmap`, `rev`, `commit-graph`, `multi-pack-index`. */
  | { readonly kind: 'derive'; readonly file: string; readonly pack?: string }
  /** Refs were put together: how many stood alone before. */
  | { readonly kind: 'refs'; readonly count: number }
  /** What dead processes left was removed: how many files. */
  | { readonly kind: 'garbage'; readonly count: number }

/** What became of a call. */
export interface MaintenanceResult {
  /** Nothing is left to do: false when the budget ran out, or somebody else was at it. */
  readonly done: boolean
  /** Somebody else maintains this repository, and what was not done is left to them. */
  readonly busy: boolean
  /** Why something was left out that was asked for; for people. */
  readonly leftOut: readonly string[]
  readonly steps: readonly MaintenanceStep[]
}
