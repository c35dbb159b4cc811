import { ArtifactsError, isArtifactsError, type ArtifactsErrorCode } from '../../artifacts-error.ts'

/** A failure that a client is told, as a value: everything that is in an {@link ArtifactsError}. */
export interface RpcFailure {
  readonly kind: 'failure'
  readonly code: ArtifactsErrorCode
  readonly message: string
  readonly restMessage: string
  readonly status: number
  readonly pointer: string | undefined
}

/**
 * What a call across RPC answers. Not every runtime passes on more of an error than a text, and callers switch on codes: so failures that
 * a client is told go as values.
 */
export type RpcOutcome =
  | { readonly kind: 'value'; readonly value: unknown }
  /** A blob, which not every runtime passes on as one. */
  | { readonly kind: 'blob'; readonly bytes: Uint8Array; readonly type: string }
  | RpcFailure

/** Runs a method for a caller elsewhere. Failures that no client is told of reject. */
export async function captureOutcome(run: () => Promise<unknown>): Promise<RpcOutcome> {
  try {
    const value = await run()
    if (!(value instanceof Blob)) return { kind: 'value', value }
    return { kind: 'blob', bytes: new Uint8Array(await value.arrayBuffer()), type: value.type }
  } catch (error) {
    return captureFailure(error)
  }
}

/** Makes a value of a failure; throws what no client is told of. */
export function captureFailure(error: unknown): RpcFailure {
  if (!isArtifactsError(error)) throw error
  const { code, message, restMessage, status, pointer } = error
  return { kind: 'failure', code, message, restMessage, status, pointer }
}

/** Gives what the method itself gave, or throws what it threw. */
export function releaseOutcome(outcome: RpcOutcome): unknown {
  switch (outcome.kind) {
    case 'value':
      return outcome.value
    case 'blob':
      return new Blob([new Uint8Array(outcome.bytes)], { type: outcome.type })
    case 'failure':
      throw failureOf(outcome)
  }
}

/** The error that a failure was. */
export function failureOf({ code, message, pointer, ...rest }: RpcFailure): ArtifactsError {
  const { restMessage, status } = rest
  return new ArtifactsError(code, message, {
    restMessage,
    status,
    ...(pointer === undefined ? {} : { pointer }),
  })
}
