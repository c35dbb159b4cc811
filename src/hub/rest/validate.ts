import { en } from 'zod/locales'
import type * as z from 'zod/mini'
import type { ArtifactsErrorCode } from '../artifacts-error.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import { failureResponse } from './envelope.ts'
import type { Route } from './route.ts'

/** What a schema makes of a value, or the answer that says what is wrong with it. */
export type Validated =
  | { readonly kind: 'valid'; readonly value: unknown }
  | { readonly kind: 'invalid'; readonly response: Response }

/** What is wrong with a value, in words. */
const ENGLISH = /* @__PURE__ */ en().localeError

/** Reads a part of a request by its schema. A route without one for it takes the value as it is. */
export function validate(route: Route, schema: z.ZodMiniType | undefined, value: unknown): Validated {
  if (schema === undefined) return { kind: 'valid', value }
  const parsed = schema.safeParse(value, { error: ENGLISH })
  if (parsed.success) return { kind: 'valid', value: parsed.data }
  const errors = parsed.error.issues.map(({ path, message }) => {
    const pointer = path.length === 0 ? undefined : `/${path.map(String).join('/')}`
    const code: ArtifactsErrorCode =
      (pointer === undefined ? undefined : route.codes?.[pointer]) ?? 'INVALID_INPUT'
    const { numericCode } = new ArtifactsError(code, message)
    return { code: numericCode, message, ...(pointer === undefined ? {} : { pointer }) }
  })
  return { kind: 'invalid', response: failureResponse(400, errors) }
}
