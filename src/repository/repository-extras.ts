import type { IndexPackOptions, PackWithIndex } from '../pack/indexer/index-pack.ts'
import type { SearchFetchDeltas } from './fetch-deltas/search-fetch-deltas.ts'
import type { KeepAnswers } from './kept-answer.ts'

/** Code that a repository works without: with it, work is faster or answers are smaller. None of it changes what can be done. */
export interface RepositoryExtras {
  /**
   * The engine's `indexPack`. Packs that fit the memory are indexed some 15 % faster with it than by the form that packs of any size take,
   * and threads can help.
   */
  readonly indexPack?: (pack: Uint8Array, options: IndexPackOptions) => Promise<PackWithIndex>
  /**
   * The engine's `searchFetchDeltas`: searches deltas, as git does, for what a fetch would get whole. Without it the answer is made of what
   * is stored, with the deltas that are stored.
   */
  readonly searchFetchDeltas?: SearchFetchDeltas
  /** The engine's `keepAnswers`: clones that are asked for again are answered from the cache, as they were sent. */
  readonly keepAnswers?: KeepAnswers
}
