export {
  registryConformance,
  type ConformanceCase,
  type RegistryConformanceOptions,
} from './registry-conformance.ts'
