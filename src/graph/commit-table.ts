import { GitError } from '../errors.ts'
import { parseCommitLinks, type CommitLinks } from '../object/commit-links.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectSource } from './object-source.ts'
import { COMMIT, objectTypeName } from '../object/object-type.ts'

/**
 * The commits a walk has met, by ordinal: parents, root tree and date of each, read once.
 *
 * Commits that are shallow, for the reader or by the given set, are treated as having no parents.
 */
export class CommitTable {
  readonly reader: ObjectSource
  readonly ids: IdTable
  readonly #shallow: ReadonlySet<ObjectId>
  readonly #parents: (readonly number[] | undefined)[] = []
  readonly #times: number[] = []
  #trees: Uint8Array

  constructor(reader: ObjectSource, shallow: ReadonlySet<ObjectId> = new Set()) {
    this.reader = reader
    this.ids = new IdTable(reader.format.idLength)
    this.#shallow = shallow
    this.#trees = new Uint8Array(64 * reader.format.idLength)
  }

  /** The ordinal of a commit; its object is not read yet. */
  add(id: Uint8Array, at = 0): number {
    return this.ids.add(id, at)
  }

  /** Parent ordinals of a loaded commit, none for a shallow one. */
  parents(commit: number): readonly number[] {
    return this.#parents[commit]!
  }

  /** Parents of loaded commits that were not seen before, each once: from here on they are. */
  unseenParents(commits: readonly number[], seen: Set<number>): number[] {
    const unseen: number[] = []
    for (const commit of commits) {
      for (const parent of this.parents(commit)) {
        if (seen.has(parent)) continue
        seen.add(parent)
        unseen.push(parent)
      }
    }
    return unseen
  }

  /** Committer date of a loaded commit, in seconds. */
  time(commit: number): number {
    return this.#times[commit]!
  }

  /** Raw id of the root tree of a loaded commit, a view. */
  tree(commit: number): Uint8Array {
    const { idLength } = this.ids
    return this.#trees.subarray(commit * idLength, (commit + 1) * idLength)
  }

  isLoaded(commit: number): boolean {
    return this.#parents[commit] !== undefined
  }

  hexId(commit: number): ObjectId {
    return encodeObjectId(this.ids.view(commit), 0, this.reader.format)
  }

  /**
   * Loads a commit from resident bytes; false when it has to wait for the reader to settle.
   *
   * @param neededBy the commit that names it as a parent, for the message when it is missing.
   * @param optional take a missing commit for a very old one without parents and without a tree.
   * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
   */
  tryLoad(commit: number, neededBy?: number, optional = false): boolean {
    if (this.#parents[commit] !== undefined) return true
    const written = this.#writtenLinks(this.ids.view(commit))
    if (written !== undefined) {
      this.#set(commit, written)
      return true
    }
    const object = this.reader.tryRead(this.ids.view(commit))
    if (object === undefined) return false
    if (object === null) {
      if (!optional) throw this.#missing(commit, neededBy)
      this.#set(commit, { tree: new Uint8Array(this.ids.idLength), parents: [], committerTime: 0 })
      return true
    }
    if (object.type !== COMMIT) {
      throw new GitError(
        'CORRUPT_OBJECT',
        `object ${this.hexId(commit)} is a ${objectTypeName(object.type)}, not a commit`,
        {
          details: { id: this.hexId(commit) },
        },
      )
    }
    this.#set(commit, parseCommitLinks(object.body, this.reader.format))
    return true
  }

  /** What a commit points at, where its pack has that written down. */
  #writtenLinks(id: Uint8Array): CommitLinks | undefined {
    const set = this.reader.reachability
    const node = set.find(id)
    if (node === undefined) return undefined
    const { pack, position } = node
    const { reachability } = set.packs[pack]!
    if (reachability.type(position) !== COMMIT) return undefined
    const { edgeStarts, edges } = reachability
    const first = edgeStarts[position]!
    const parents: Uint8Array[] = []
    for (let edge = first + 1; edge < edgeStarts[position + 1]!; edge++)
      parents.push(set.id(pack, edges[edge]!))
    return { tree: set.id(pack, edges[first]!), parents, committerTime: reachability.time(position) }
  }

  #set(commit: number, links: CommitLinks): void {
    const { idLength } = this.ids
    const end = (commit + 1) * idLength
    if (end > this.#trees.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#trees.length))
      grown.set(this.#trees)
      this.#trees = grown
    }
    this.#trees.set(links.tree, commit * idLength)
    this.#times[commit] = links.committerTime
    this.#parents[commit] = this.#isShallow(commit) ? [] : links.parents.map((parent) => this.ids.add(parent))
  }

  #isShallow(commit: number): boolean {
    if (this.#shallow.size === 0 && this.reader.shallow.size === 0) return false
    const id = this.hexId(commit)
    return this.#shallow.has(id) || this.reader.shallow.has(id)
  }

  #missing(commit: number, neededBy: number | undefined): GitError {
    const id = this.hexId(commit)
    const by = neededBy === undefined ? undefined : this.hexId(neededBy)
    return new GitError(
      'MISSING_OBJECT',
      `commit ${id} is missing${by === undefined ? '' : `, a parent of ${by}`}`,
      {
        details: { id, type: 'commit', neededBy: by },
      },
    )
  }

  /** Loads commits, waiting for the storage as often as needed. */
  async load(commits: readonly number[], neededBy?: number): Promise<void> {
    let waiting = commits.filter((commit) => !this.tryLoad(commit, neededBy))
    while (waiting.length > 0) {
      await this.reader.settle()
      waiting = waiting.filter((commit) => !this.tryLoad(commit, neededBy))
    }
  }
}
