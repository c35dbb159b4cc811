import type { ObjectFormatName } from '../../object/object-format.ts'
import type { Storage } from '../storage.ts'
import { fail } from './assertions.ts'
import type { ConformanceCase, Scenario, ScenarioContext } from './conformance-case.ts'
import { eventScenarios } from './event-scenarios.ts'
import { fileScenarios } from './file-scenarios.ts'
import { forkScenarios } from './fork-scenarios.ts'
import { packScenarios } from './pack-scenarios.ts'
import { persistenceScenarios } from './persistence-scenarios.ts'
import { raceScenarios } from './race-scenarios.ts'
import { refEditScenarios } from './ref-edit-scenarios.ts'
import { refNameScenarios } from './ref-name-scenarios.ts'
import { repositoryScenarios } from './repository-scenarios.ts'
import { shallowScenarios } from './shallow-scenarios.ts'

/** How the suite gets at the adapter it checks. */
export interface StorageConformanceOptions {
  /** Makes an empty storage that shares nothing with those made before. Called once per case. */
  readonly createStorage: () => Promise<Storage>
  /**
   * Makes a second storage over the data of the first, which stays open, as another process would. Leave it out
   * where data dies with the storage: the cases on persistence are then left out too.
   */
  readonly reopen?: (storage: Storage) => Promise<Storage>
  /** Removes what `createStorage` made; the storage is closed by then. */
  readonly dispose?: (storage: Storage) => Promise<void>
  /** The object formats that the adapter can store. Both unless said otherwise. */
  readonly objectFormats?: readonly ObjectFormatName[]
}

/**
 * The promises of the storage boundary as a list of cases, for any test runner in any runtime: an adapter that passes
 * all of them can be trusted with repositories. Cases are independent of each other and may run at the same time.
 *
 * @example
 * for (const { name, run } of storageConformance({ createStorage })) test(name, run)
 */
export function storageConformance(options: StorageConformanceOptions): readonly ConformanceCase[] {
  const { reopen, objectFormats = ['sha1', 'sha256'] } = options
  const scenarios = [
    ...repositoryScenarios(objectFormats),
    ...fileScenarios,
    ...packScenarios,
    ...refEditScenarios,
    ...refNameScenarios,
    ...raceScenarios,
    ...shallowScenarios,
    ...forkScenarios,
    ...eventScenarios,
    ...(reopen === undefined ? [] : persistenceScenarios(reopen)),
  ]
  return scenarios.map((scenario) => ({ name: scenario.name, run: () => runScenario(scenario, options) }))
}

/** Runs a scenario on a storage of its own. Clean-up happens in any case, but never hides why the scenario failed. */
async function runScenario(scenario: Scenario, options: StorageConformanceOptions): Promise<void> {
  const storage = await options.createStorage()
  const failures: unknown[] = []
  const attempt = async (step: () => Promise<void> | undefined): Promise<void> => {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  await attempt(() => scenario.run(createContext(storage)))
  await attempt(() => storage.close())
  await attempt(() => options.dispose?.(storage))
  if (failures.length > 0) throw failures[0]
}

const KEY = 'repository'

function createContext(storage: Storage): ScenarioContext {
  return {
    storage,
    createRepository: () => storage.create(KEY, { objectFormat: 'sha1', head: 'refs/heads/main' }),
    openRepository: async () =>
      (await storage.open(KEY)) ?? fail(`open('${KEY}') found nothing, although it was created`),
  }
}
