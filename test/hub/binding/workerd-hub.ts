import { createPortableCodecs } from '../../../src/codec/portable/index.ts'
import { createArtifactsEntrypoint } from '../../../src/hub/binding/rpc/artifacts-entrypoint.ts'
import { createHub, type Hub } from '../../../src/hub/hub.ts'
import { createMemoryRegistry } from '../../../src/hub/registry/memory/memory-registry.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import { answerImports } from './binding-case.ts'

let hub: Hub | undefined

/** The Worker that has a hub, in memory, and shows it to others by this entry point. */
export const Artifacts = createArtifactsEntrypoint((_env, { props }) => {
  hub ??= createHub({
    origin: 'https://hub.example',
    account: 'acct',
    storage: createMemoryStorage(),
    registry: createMemoryRegistry(),
    codecs: createPortableCodecs(),
    limits: { readBytes: 5000 },
    imports: { fetch: answerImports },
  })
  return hub.artifacts((props as { namespace?: string } | undefined)?.namespace ?? 'team')
})

export default { fetch: (): Response => new Response('use the entry point') }
