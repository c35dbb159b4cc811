import type { ServiceOptions } from './service-options.ts'

const DEFAULT_AGENT = 'packstone/0.1.0'

/** The value of the `agent` capability: printable ASCII without spaces; other characters become dots, as in git. */
export function agentOf(options: ServiceOptions): string {
  return (options.agent ?? DEFAULT_AGENT).replace(/[^!-~]/g, '.')
}
