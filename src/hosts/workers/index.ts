/**
 * `packstone/hosts/workers`: a ready Worker. Its default export answers REST and Git clients; each repository lives in a Durable Object of
 * the class `RepositoryObject`, and what is known about all of them in one of the class `RegistryObject`.
 */
export { ArtifactsEntrypoint, worker as default } from './worker.ts'
export { RegistryObject } from './registry-object.ts'
export { RepositoryObject } from './repository-object.ts'
export type { WorkerEnvironment } from './bindings.ts'
