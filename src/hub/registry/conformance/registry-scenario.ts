import type { Registry } from '../registry.ts'

/** A promise, and how it is checked on an empty registry. */
export interface RegistryScenario {
  readonly name: string
  readonly run: (registry: Registry) => Promise<void>
}

/** A scenario as one call, which gives its function the types it needs. */
export function scenario(name: string, run: RegistryScenario['run']): RegistryScenario {
  return { name, run }
}
