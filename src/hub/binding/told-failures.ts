import { ArtifactsError, isArtifactsError } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'

/** Runs a method of the binding: a failure of the server shows nothing of its inside. */
export async function told<T>(hub: HubContext, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isArtifactsError(error)) throw error
    hub.onError(error)
    throw new ArtifactsError('INTERNAL_ERROR', 'An internal error occurred.')
  }
}
