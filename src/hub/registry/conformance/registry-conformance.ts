import type { ConformanceCase } from '../../../storage/conformance/conformance-case.ts'
import type { Registry } from '../registry.ts'
import { listScenarios } from './list-scenarios.ts'
import type { RegistryScenario } from './registry-scenario.ts'
import { namespaceScenarios } from './namespace-scenarios.ts'
import { outboxScenarios } from './outbox-scenarios.ts'
import { repositoryScenarios } from './repository-scenarios.ts'
import { tokenScenarios } from './token-scenarios.ts'

export type { ConformanceCase }

/** How the suite gets at the registry it checks. */
export interface RegistryConformanceOptions {
  /** Makes an empty registry that shares nothing with those made before. Called once per case. */
  readonly createRegistry: () => Promise<Registry>
  /** Removes what `createRegistry` made; the registry is closed by then. */
  readonly dispose?: (registry: Registry) => Promise<void>
}

/**
 * The promises of a registry as a list of cases, for any test runner in any runtime. Cases are independent of each other.
 *
 * @example
 * for (const { name, run } of registryConformance({ createRegistry })) test(name, run)
 */
export function registryConformance(options: RegistryConformanceOptions): readonly ConformanceCase[] {
  const scenarios: readonly RegistryScenario[] = [
    ...namespaceScenarios,
    ...repositoryScenarios,
    ...listScenarios,
    ...tokenScenarios,
    ...outboxScenarios,
  ]
  return scenarios.map(({ name, run }) => ({
    name,
    run: async () => {
      const registry = await options.createRegistry()
      try {
        await run(registry)
      } finally {
        await registry.close()
        await options.dispose?.(registry)
      }
    },
  }))
}
