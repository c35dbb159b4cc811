import type { Connection } from './connection.ts'
import type { Discovery } from './discover.ts'
import type { FetchedPack, FetchRequest } from './fetch-request.ts'
import { fetchPackV0 } from './fetch-v0.ts'
import { fetchFeatures, fetchPackV2 } from './fetch-v2.ts'
import type { RemoteMessages } from './remote-messages.ts'

/** Whether a remote can leave objects out. */
export function offersFilters(discovery: Discovery): boolean {
  return discovery.version === 2
    ? fetchFeatures(discovery).includes('filter')
    : discovery.capabilities.has('filter')
}

/** Negotiates in the version that the remote speaks; resolves where the pack begins. */
export function fetchPack(
  connection: Connection,
  discovery: Discovery,
  request: FetchRequest,
  messages: RemoteMessages,
): Promise<FetchedPack> {
  return discovery.version === 2
    ? fetchPackV2(connection, discovery, request, messages)
    : fetchPackV0(connection, discovery, request, messages)
}
