import type * as z from 'zod/mini'
import type { ArtifactsErrorCode } from '../artifacts-error.ts'
import type { HubContext } from '../hub-context.ts'

/** What a route is given, read by its schemas. */
export interface RouteCall<Path, Query, Body> {
  readonly hub: HubContext
  readonly request: Request
  readonly path: Path
  readonly query: Query
  readonly body: Body
  /** Segments of the path behind `…/artifacts/`, as they were sent: not decoded. */
  readonly segments: readonly string[]
}

/** What clients of a route may do at least. */
export type Permission = 'read' | 'edit'

/** One operation of the REST interface: how it is found, what it takes, and what it is documented with. */
export interface RouteDefinition<
  Path extends z.ZodMiniType = z.ZodMiniType,
  Query extends z.ZodMiniType = z.ZodMiniType,
  Body extends z.ZodMiniType = z.ZodMiniType,
> {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Behind `…/artifacts`, with parameters as `:name`; `*` at the end for the rest. */
  readonly pattern: string
  readonly operationId: string
  readonly summary: string
  readonly permission: Permission
  readonly path?: Path
  readonly query?: Query
  /** Absent: the request has no body. */
  readonly body?: Body
  /** Most bytes of the body. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Codes of failed validations of fields, by pointer (`/name`), where they are not `INVALID_INPUT`. */
  readonly codes?: Readonly<Record<string, ArtifactsErrorCode>>
  readonly success: RouteSuccess
  /** Statuses of documented failures. */
  readonly failures: readonly number[]
  /** What it throws as an ArtifactsError becomes an error envelope. */
  readonly handle: (call: RouteCall<z.output<Path>, z.output<Query>, z.output<Body>>) => Promise<Response>
}

/** How a route answers when all is well. */
export type RouteSuccess =
  | {
      readonly status: 200 | 201 | 202
      /** What `result` of the envelope holds. */
      readonly result: z.ZodMiniType
      /** Whether the envelope has `result_info`. */
      readonly paged?: boolean
    }
  | { readonly status: 204 }
  /** Bytes, not an envelope. */
  | { readonly status: 200; readonly content: string }

/** A route of any schemas. */
export interface Route extends Omit<RouteDefinition, 'handle'> {
  readonly handle: (call: RouteCall<unknown, unknown, unknown>) => Promise<Response>
}

/** Defines a route: its handler gets what its schemas make of the request. */
export function defineRoute<
  Path extends z.ZodMiniType,
  Query extends z.ZodMiniType,
  Body extends z.ZodMiniType,
>(route: RouteDefinition<Path, Query, Body>): Route {
  return {
    ...route,
    // What the router hands over has been read by these very schemas.
    handle: (call) => route.handle(call as RouteCall<z.output<Path>, z.output<Query>, z.output<Body>>),
  }
}
