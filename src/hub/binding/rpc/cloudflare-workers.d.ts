/** The part of the Workers runtime's own module that is used. Who deploys a Worker has all of it from `@cloudflare/workers-types`. */
declare module 'cloudflare:workers' {
  export const RpcTarget: abstract new () => object
  export abstract class WorkerEntrypoint<Environment = unknown> {
    protected readonly env: Environment
    protected readonly ctx: { waitUntil(work: Promise<unknown>): void; readonly props?: unknown }
    constructor(ctx: unknown, env: Environment)
  }
  export abstract class DurableObject<Environment = unknown> {
    protected readonly env: Environment
    constructor(ctx: unknown, env: Environment)
    fetch?(request: Request): Response | Promise<Response>
    alarm?(): void | Promise<void>
  }
}
