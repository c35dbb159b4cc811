export { storageConformance, type StorageConformanceOptions } from './storage-conformance.ts'
export type { ConformanceCase } from './conformance-case.ts'
export {
  createFaultyStorage,
  FAULTS,
  type Fault,
  type FaultPlan,
  type FaultyStorage,
} from './faulty-storage.ts'
