/**
 * `packstone/client`: a client for any Git server that speaks smart HTTP. It discovers, lists refs, fetches into a repository and
 * pushes from it, on web standards alone.
 */
export { clone, createClient, type Client, type FetchPackOptions } from './client.ts'
export type { ClientLimits, ClientOptions, FetchFunction, OperationOptions } from './client-options.ts'
export type { CloneOptions } from './clone.ts'
export type { CredentialRequest, Credentials, CredentialSource } from './credentials.ts'
export type { Discovery } from './discover.ts'
export type { FetchOptions, FetchResult } from './fetch.ts'
export type { FetchObjectsOptions, FetchObjectsResult } from './fetch-objects.ts'
export type { FetchedRef, FetchRejection } from './fetch-outcome.ts'
export type { DeepenOptions, FetchedPack } from './fetch-request.ts'
export type { ListRefsOptions } from './ls-refs.ts'
export type { PushedRef, PushRejection, PushUpdate } from './push-outcome.ts'
export type { PushOptions, PushResult } from './push.ts'
export type { RemoteChange } from './push-report.ts'
export type { RemoteRefs } from './remote-refs.ts'
