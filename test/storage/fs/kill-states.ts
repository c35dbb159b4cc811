/** The refs that each transaction of the killed process edits. */
export const TRANSACTION_NAMES: readonly string[] = [
  'refs/heads/a',
  'refs/heads/b/c',
  'refs/heads/comes-and-goes',
  'refs/heads/loose',
  'refs/tags/t',
]

/** Which refs there are after the transaction of this number, and their ids. */
export function stateAfter(round: number, ids: readonly string[]): ReadonlyMap<string, string> {
  const id = ids[round % ids.length] ?? ''
  const names = TRANSACTION_NAMES.filter((name) => name !== 'refs/heads/comes-and-goes' || round % 2 === 0)
  return new Map(names.map((name) => [name, id]))
}
