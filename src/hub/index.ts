/**
 * `packstone/hub`: namespaces, repositories and tokens as a service, over REST and Git, with the interfaces of Cloudflare Artifacts.
 */
export { createHub, type Hub, type HubOptions } from './hub.ts'
export { ARTIFACTS_LIMITS, type HubLimits, type RequestRate } from './hub-limits.ts'
export type { ApiToken, AuthenticateApi } from './rest/api-access.ts'
export type { Permission } from './rest/route.ts'
export type * from './binding/binding-types.ts'
export type { DeliverEventsOptions } from './events/deliver-events.ts'
export {
  createCallbackSink,
  createQueueSink,
  type EventSink,
  type QueueBinding,
} from './events/event-sink.ts'
export type { HubEvent, HubEventName, HubEventType } from './events/hub-event.ts'
export type { PushedCommits } from './events/push-payload.ts'
export type { RetryOptions } from './events/sink-delivery.ts'
export {
  createWebhookSink,
  isWebhookSigned,
  signWebhook,
  type WebhookOptions,
} from './events/webhook-sink.ts'
export type { ImportOptions } from './import/import-options.ts'
export type { GitCapabilities } from './git/artifacts-capabilities.ts'
export type { GitEndpointOptions } from './git/git-endpoint.ts'
export { ArtifactsError, isArtifactsError, type ArtifactsErrorCode } from './artifacts-error.ts'
export { createBucketRegistry, type BucketRegistryOptions } from './registry/bucket/bucket-registry.ts'
export { createMemoryRegistry } from './registry/memory/memory-registry.ts'
export { createSqliteRegistry, type SqliteRegistryOptions } from './registry/sqlite/sqlite-registry.ts'
export type * from './registry/records.ts'
export type * from './registry/registry.ts'
