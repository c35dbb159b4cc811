/** packstone: the engine. Repositories over a storage, and the formats they are made of. */
export { GitError, isGitError, type GitErrorCode, type GitErrorDetails } from './errors.ts'
export type { Codecs, HashAlgorithm } from './codec/ports.ts'

export { objectFormat, type ObjectFormat, type ObjectFormatName } from './object/object-format.ts'
export { hashObject, isObjectId, parseObjectId, type ObjectId } from './object/object-id.ts'
export {
  BLOB,
  COMMIT,
  TAG,
  TREE,
  objectTypeName,
  type ObjectType,
  type ObjectTypeName,
} from './object/object-type.ts'
export { hasObject, readObject, type ObjectReader, type RawObject } from './object/object-reader.ts'
export { encodeCommit, parseCommit, type Commit } from './object/commit.ts'
export { encodeTag, parseTag, type Tag } from './object/tag.ts'
export { encodeTree, parseTree, type TreeEntry } from './object/tree.ts'
export { TreeCursor } from './object/tree-iterator.ts'
export {
  fsckObject,
  type FsckFinding,
  type FsckMessageId,
  type FsckOptions,
  type FsckSeverity,
} from './object/fsck.ts'

export { applyDelta } from './delta/apply-delta.ts'
export { PackIndex } from './pack/pack-index.ts'
export { indexPack, type IndexPackOptions, type PackWithIndex } from './pack/indexer/index-pack.ts'
export type { ProgressEvent, ProgressListener, ProgressPhase } from './pack/progress.ts'

export { isRefName } from './refs/ref-name.ts'
export type { Ref, RefTarget } from './refs/ref.ts'
export type { RefEdit, RefExpectation, RefOutcome, RefRejection, ReflogEntry } from './refs/ref-edit.ts'
export { parseGitConfig, type GitConfig } from './config/git-config.ts'

export type {
  Storage,
  CreateRepositoryOptions,
  ForkRepositoryOptions,
  RepositoryPage,
  SharedPack,
} from './storage/storage.ts'
export type {
  DerivedFileKind,
  LooseObjects,
  NewPack,
  PackDescription,
  PackFileKind,
  RepositoryStorage,
  ShallowChange,
  StorageCommit,
  StorageCommitResult,
  StoredEvent,
} from './storage/repository-storage.ts'
export { MAX_EVENT_BYTES } from './storage/event-texts.ts'
export type { ByteRange, FileWriter, StagedFile, StoredFile } from './storage/stored-file.ts'

export { maintain } from './repository/maintenance/maintain.ts'
export type {
  MaintenanceBudget,
  MaintenanceMode,
  MaintenanceOptions,
} from './repository/maintenance/maintenance-options.ts'
export {
  maintainStorage,
  type MaintainedStorage,
  type MaintainedStorageOptions,
} from './repository/maintenance/maintained-storage.ts'
export {
  MaintenanceScheduler,
  readAutoPackLimit,
  type LentRepository,
  type MaintenanceSchedulerOptions,
} from './repository/maintenance/maintenance-scheduler.ts'
export type { MaintenanceResult, MaintenanceStep } from './repository/maintenance/maintenance-result.ts'
export type { GitFileFormats, GitFiles, RepositoryFileKind } from './storage/git-files.ts'
export type { LayoutRoots, StorageMaintenance } from './storage/storage-maintenance.ts'

export type { ObjectView } from './odb/object-view.ts'
export { createMemoryBudget, type MemoryBudget } from './odb/memory-budget.ts'
export { forkRepository, type ForkedRepository, type ForkOptions } from './repository/fork/fork-repository.ts'
export {
  openLeanRepository,
  openRepository,
  type AdvertisedRef,
  type OpenRepositoryOptions,
  type Repository,
} from './repository/repository.ts'
export type { RepositoryExtras } from './repository/repository-extras.ts'
export { keepAnswers } from './repository/kept-answer.ts'
export { searchFetchDeltas } from './repository/fetch-deltas/search-fetch-deltas.ts'
export type { IncomingPack, IncomingPackOptions } from './repository/incoming-pack.ts'
export {
  planPack,
  type PackPlan,
  type PackPlanOptions,
  type PackRequest,
} from './repository/outgoing-pack.ts'

export { planBundle, type BundleOptions, type BundlePlan } from './repository/bundle.ts'

export { resolveRevision } from './repository/read/resolve-revision.ts'
export { openFile, type OpenFile } from './repository/read/open-file.ts'
export { openBlob, type BlobLookup, type OpenBlob } from './repository/read/read-blob.ts'
export { readLog, type ReadLogOptions } from './repository/read/read-log.ts'
export type { CommitFacts, Person } from './repository/read/commit-facts.ts'
export {
  diffTrees,
  type DiffEntry,
  type DiffSide,
  type DiffTreesOptions,
  type TreeDiff,
} from './repository/read/diff-trees.ts'
export { findMergeBases } from './repository/read/merge-bases.ts'
export {
  commitFiles,
  type CommitAuthor,
  type CommitFilesOptions,
  type CommitFilesOutcome,
} from './repository/write/commit-files.ts'
export type { FileChange, FileModeText } from './repository/write/file-changes.ts'
