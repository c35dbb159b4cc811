import { binary, dataLike, deepDirectories, largeBlobs, tinyFiles, wideTree } from './histories/bulk.ts'
import { merges, renames } from './histories/graphs.ts'
import { oddNames, oddObjects, oddRefs } from './histories/oddities.ts'
import type { HistoryShape } from './histories/shape.ts'
import { sourceLike } from './histories/source-like.ts'
import { git } from './git.ts'
import { createRandom } from './random.ts'

/** Every kind of history that the tests know, by name. */
export const HISTORY_SHAPES = {
  'source-like': sourceLike,
  'data-like': dataLike,
  'large-blobs': largeBlobs,
  'tiny-files': tinyFiles,
  'wide-tree': wideTree,
  'deep-directories': deepDirectories,
  binary,
  merges,
  renames,
  'odd-names': oddNames,
  'odd-refs': oddRefs,
  'odd-objects': oddObjects,
} as const satisfies Record<string, HistoryShape>

export type HistoryName = keyof typeof HISTORY_SHAPES

export const HISTORY_NAMES = Object.keys(HISTORY_SHAPES) as readonly HistoryName[]

export interface HistoryOptions {
  /** Same seed, same objects. */
  readonly seed?: number
  /** Multiplies the amount. */
  readonly scale?: number
}

/** Makes a bare repository with a generated history at `path`, which must not exist; resolves with the path. */
export async function createHistory(
  name: HistoryName,
  path: string,
  options: HistoryOptions = {},
): Promise<string> {
  await git(['init', '--quiet', '--bare', path])
  const random = createRandom(options.seed ?? 1)
  await HISTORY_SHAPES[name]({ repository: path, random, scale: options.scale ?? 1 })
  return path
}
