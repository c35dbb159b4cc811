import { GitError } from '../../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import { appliedChanges } from '../../refs/applied-changes.ts'
import type { RefTable } from '../../refs/ref-table.ts'
import { assertRefEdits, judgeRefEdits } from '../../refs/ref-transaction.ts'
import { assertEventLimit, assertEventTexts } from '../event-texts.ts'
import { assertPackName } from '../pack-name.ts'
import { assertShallowChange, changeShallowList } from '../shallow-list.ts'
import type {
  DerivedFileKind,
  NewPack,
  PackFileKind,
  RepositoryStorage,
  StorageCommitResult,
  StoredEvent,
} from '../repository-storage.ts'
import type { StagedFile } from '../stored-file.ts'
import { createMemoryFile, MemoryStagedFile, openMemoryFile } from './memory-file.ts'

/** A stored pack. */
export interface MemoryPack {
  readonly files: Readonly<Record<PackFileKind, Uint8Array>>
  readonly derived: Readonly<Partial<Record<DerivedFileKind, Uint8Array>>>
  readonly modified: number
  /** Which objects are visible; absent: all. */
  readonly visible?: Uint8Array
  readonly promisor?: true
}

/** Everything there is to know about a repository at one moment. Immutable: a change replaces it. */
export interface MemoryState {
  readonly packs: ReadonlyMap<string, MemoryPack>
  readonly refs: RefTable
  readonly config: string
  readonly shallow: readonly string[]
  /** The outbox. */
  readonly events: readonly StoredEvent[]
  /** The sequence of the last event there was. */
  readonly lastEvent: number
}

/** The place of a repository's state, shared by all its open handles. */
export interface MemoryRepository {
  readonly key: string
  readonly objectFormat: ObjectFormatName
  /** Undefined once the repository was deleted. */
  state: MemoryState | undefined
}

/**
 * Opens a repository in memory.
 *
 * All of its mutable state hangs on one property. A change computes the next state without waiting for anything and
 * assigns it: that makes every commit atomic, and gives readers whole states only.
 */
export function openMemoryRepository(repository: MemoryRepository): RepositoryStorage {
  const { objectFormat } = repository
  const location = `memory:${repository.key}`
  let open = true

  const current = (): MemoryState => {
    if (!open) throw new GitError('INVALID_ARGUMENT', `${location} was closed; open it again`)
    if (repository.state !== undefined) return repository.state
    throw new GitError('NOT_FOUND', `${location} was deleted`)
  }
  const findPack = (name: string): MemoryPack => {
    const pack = current().packs.get(name)
    if (pack !== undefined) return pack
    throw new GitError('NOT_FOUND', `${location} has no pack ${name}; list packs again`, {
      details: { pack: name },
    })
  }
  const change = (part: Partial<MemoryState>): void => {
    repository.state = { ...current(), ...part }
  }

  /* eslint-disable @typescript-eslint/require-await -- async turns what is thrown into a rejection */
  return {
    location,
    objectFormat,
    loose: undefined,

    async listPacks() {
      return [...current().packs].map(([name, { files, modified, visible, promisor }]) => ({
        name,
        packSize: files.pack.length,
        indexSize: files.idx.length,
        modified,
        ...(visible === undefined ? {} : { partial: true }),
        ...(promisor === undefined ? {} : { promisor }),
      }))
    },

    async openPackFile(name, kind) {
      return openMemoryFile(findPack(name).files[kind])
    },

    async readPackMask(name) {
      return findPack(name).visible?.slice()
    },

    async createFile() {
      current()
      return createMemoryFile()
    },

    async freshenPacks(names) {
      const packs = new Map(current().packs)
      for (const name of names) {
        const pack = packs.get(name)
        if (pack !== undefined) packs.set(name, { ...pack, modified: Date.now() })
      }
      change({ packs })
    },

    async readDerived(pack, kind) {
      return current().packs.get(pack)?.derived[kind]?.slice()
    },

    async writeDerived(name, kind, bytes) {
      const packs = new Map(current().packs)
      const pack = packs.get(name)
      if (pack === undefined) return
      packs.set(name, { ...pack, derived: { ...pack.derived, [kind]: bytes.slice() } })
      change({ packs })
    },

    async readRefs(names) {
      const { refs } = current()
      return names.map((name) => refs.find(name))
    },

    async listRefs(prefix) {
      const refs = current().refs.list(prefix)
      return refs.filter((ref) => ref.name !== 'HEAD')
    },

    async commit({
      addPacks = [],
      dropPacks = [],
      dropOnlyBefore = Infinity,
      refs: edits = [],
      atomic = false,
      shallow,
      events,
    }): Promise<StorageCommitResult> {
      const state = current()
      assertRefEdits(edits, hexLengthOf(objectFormat))
      if (shallow !== undefined) assertShallowChange(shallow, hexLengthOf(objectFormat))
      const added = addPacks.map(readNewPack)
      const outcomes = judgeRefEdits(edits, state.refs, { atomic })
      if (edits.length > 0 && outcomes.every((outcome) => outcome.kind === 'rejected')) {
        return { refs: outcomes, packsCommitted: false }
      }
      const packs = new Map(state.packs)
      for (const name of dropPacks) {
        if ((packs.get(name)?.modified ?? 0) < dropOnlyBefore) packs.delete(name)
      }
      for (const [name, pack] of added) packs.set(name, addedPack(pack, state.packs.get(name)))
      const texts = assertEventTexts(events?.(outcomes) ?? [])
      const numbered = texts.map((text, at) => ({ sequence: state.lastEvent + 1 + at, text }))
      change({
        packs,
        refs: state.refs.edit(appliedChanges(edits, outcomes)),
        shallow: shallow === undefined ? state.shallow : changeShallowList(state.shallow, shallow),
        events: [...state.events, ...numbered],
        lastEvent: state.lastEvent + texts.length,
      })
      for (const { pack, index } of addPacks) {
        giveAway(pack)
        giveAway(index)
      }
      return { refs: outcomes, packsCommitted: true }
    },

    async readEvents(limit) {
      assertEventLimit(limit)
      return current().events.slice(0, limit)
    },

    async dropEvents(through) {
      change({ events: current().events.filter(({ sequence }) => sequence > through) })
    },

    async readConfig() {
      return current().config
    },

    async writeConfig(config) {
      change({ config })
    },

    async readShallow() {
      return current().shallow
    },

    async close() {
      open = false
    },
  }
  /* eslint-enable @typescript-eslint/require-await */
}

/** A pack that is added, maybe once more: all of its objects are visible then. */
function addedPack(pack: MemoryPack, old: MemoryPack | undefined): MemoryPack {
  const { files, derived, modified } = old ?? pack
  const promisor = pack.promisor ?? old?.promisor
  return { files, derived, modified, ...(promisor === undefined ? {} : { promisor }) }
}

function readNewPack({ name, pack, index, promisor }: NewPack): [string, MemoryPack] {
  assertPackName(name)
  const files = { pack: stagedBytes(pack), idx: stagedBytes(index) }
  const mark = promisor === undefined ? {} : { promisor }
  return [name, { files, derived: {}, modified: Date.now(), ...mark }]
}

function stagedBytes(file: StagedFile): Uint8Array {
  const bytes = file instanceof MemoryStagedFile ? file.bytes : undefined
  if (bytes !== undefined) return bytes
  throw new GitError(
    'INVALID_ARGUMENT',
    'a pack to commit must be a file staged by this storage, neither discarded nor committed before',
  )
}

function giveAway(file: StagedFile): void {
  if (file instanceof MemoryStagedFile) file.giveAway()
}
