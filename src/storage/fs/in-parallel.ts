/**
 * Maps items with a few calls under way at a time, results in order. The first failure is thrown once the calls that
 * were under way have ended, so that nothing goes on behind the caller's back.
 */
export async function mapInParallel<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Promise<Result>,
  width = 16,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const failures: unknown[] = []
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [at, item] of queue) {
      if (failures.length > 0) return
      try {
        results[at] = await map(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
  if (failures.length > 0) throw failures[0]
  return results
}
