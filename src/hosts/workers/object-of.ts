import type { ObjectNamespace } from './bindings.ts'

/** The Durable Object of a name. */
export function objectOf<Target>(namespace: ObjectNamespace<Target>, name: string): Target {
  // What an id is, only the runtime knows.
  return namespace.get(namespace.idFromName(name) as never)
}
