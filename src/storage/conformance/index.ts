export { storageConformance, type StorageConformanceOptions } from './storage-conformance.ts'
export type { ConformanceCase } from './conformance-case.ts'
