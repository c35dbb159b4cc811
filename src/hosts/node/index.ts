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
export { serve, type RunningServer, type ServeOptions } from './serve.ts'
