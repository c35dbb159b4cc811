/** The deltas on each entry, as linked lists of rows; -1 ends one. */
export interface DeltaTreeColumns {
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
}

/** Calls `visit` with every row below `root` and that of its base, a base before what is based on it. */
export function walkDeltaTree(
  { firstChild, nextSibling }: DeltaTreeColumns,
  root: number,
  visit: (row: number, base: number) => void,
): void {
  const bases = [root]
  for (let base = bases.pop(); base !== undefined; base = bases.pop()) {
    for (let row = firstChild[base]!; row >= 0; row = nextSibling[row]!) {
      visit(row, base)
      if (firstChild[row]! >= 0) bases.push(row)
    }
  }
}
