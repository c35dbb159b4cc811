export { openBareRepository, type FsOptions } from './bare-repository.ts'
export type { FileSystem, OpenFile } from './file-system.ts'
export { createFsStorage, type FsStorageOptions } from './fs-storage.ts'
export { initBareRepository } from './init-bare-repository.ts'
