/**
 * `packstone/hosts/node`: mounts a handler such as that of `packstone/http` on node:http.
 */
export {
  createNodeListener,
  type FetchHandler,
  type NodeListener,
  type NodeListenerOptions,
  type RequestRecord,
} from './node-listener.ts'
export { hostMemoryBytes } from './host-memory.ts'
export { keepHeapSmall } from './keep-heap-small.ts'
export {
  createPublicFetch,
  type PublicFetch,
  type PublicFetchOptions,
  type ResolveAddresses,
} from './public-fetch.ts'
export { type ProcessRole } from './processes/process-role.ts'
export {
  serveProcesses,
  type MemberService,
  type ServeProcessesOptions,
} from './processes/serve-processes.ts'
export { type ProcessDeath, type ProcessesReady } from './processes/watch-processes.ts'
export { serve, type RunningServer, type ServeOptions } from './serve.ts'
