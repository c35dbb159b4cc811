import type { ArtifactsError as OurError } from '../../../../src/hub/artifacts-error.ts'
import type { NamespaceBinding, RepositoryBinding } from '../../../../src/hub/binding/binding-types.ts'

// Compiled against the types of Cloudflare's runtime: that it compiles is the promise. Nothing here runs.

export const artifacts = (binding: NamespaceBinding): Artifacts => binding
export const repository = (binding: RepositoryBinding): ArtifactsRepo => binding
export const failure = (error: OurError): ArtifactsError => error

// @ts-expect-error the check above can fail: this has not all methods
export const incomplete: ArtifactsRepo = { info: () => Promise.resolve(undefined) }
