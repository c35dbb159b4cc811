/**
 * Decides which packs to join so that the rest form a geometric progression: each has at least `factor` times as many objects as the one
 * before it, and the joined one fits in front. It is the rule of `git repack --geometric`.
 *
 * @param sizes objects in each pack, ascending.
 * @returns how many packs, from the smallest on, are to be joined; 0 when all is well.
 */
export function geometricSplit(sizes: readonly number[], factor: number): number {
  let split = sizes.length - 1
  while (split > 0 && sizes[split]! >= factor * sizes[split - 1]!) split--
  if (split <= 0) return 0
  // The larger one of the pair that breaks the progression is joined as well.
  split++
  let joined = 0
  for (let at = 0; at < split; at++) joined += sizes[at]!
  while (split < sizes.length && sizes[split]! < factor * joined) joined += sizes[split++]!
  return split
}
