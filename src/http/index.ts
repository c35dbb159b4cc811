/**
 * `packstone/http`: Git over HTTP as one function from Request to Response. Mount it on any host that speaks web
 * standards; `packstone/hosts/node` has one for node:http.
 */
export { createGitHandler, type GitHandlerOptions, type GitServices } from './git-handler.ts'
export {
  openRepositoryFile,
  type FileAnswer,
  type OpenRepositoryFile,
  type RepositoryFile,
} from './repository-file.ts'
export type { RepositoryAccess, Resolution, ResolveRepository } from './resolution.ts'
export { parseProtocolOptions, readProtocolOptions } from '../protocol/server-config.ts'
export type { ProtocolLimits } from '../protocol/protocol-limits.ts'
export type {
  ProtocolOptions,
  ReceivePackOptions,
  ServiceOptions,
  UploadPackOptions,
} from '../protocol/service-options.ts'
export type {
  HookCommand,
  HookVerdict,
  ProcReceiveAnswer,
  ProcReceiveReport,
  PushContext,
  ReceiveHooks,
} from '../protocol/receive-pack/receive-hooks.ts'
export type { QuarantinedPack } from '../repository/incoming-pack.ts'
export type { ServiceName } from '../protocol/service.ts'
