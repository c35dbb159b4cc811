import type { PackFile } from './pack-file.ts'

/**
 * Packs with the number of views that use each, so that a pack dropped from the list is closed when its last reader leaves.
 */
export class PackSet {
  readonly #users = new Map<PackFile, number>()

  /** Adds one user to each pack. */
  acquire(packs: readonly PackFile[]): void {
    for (const pack of packs) this.#users.set(pack, (this.#users.get(pack) ?? 0) + 1)
  }

  /** Removes one user from each pack, and closes those that have none left. */
  async release(packs: readonly PackFile[]): Promise<void> {
    const unused: PackFile[] = []
    for (const pack of packs) {
      const users = (this.#users.get(pack) ?? 0) - 1
      if (users > 0) {
        this.#users.set(pack, users)
      } else {
        this.#users.delete(pack)
        unused.push(pack)
      }
    }
    await Promise.all(unused.map((pack) => pack.close()))
  }
}
