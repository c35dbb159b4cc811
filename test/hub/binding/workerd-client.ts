import { connectArtifacts, type ArtifactsStub } from '../../../src/hub/binding/rpc/connect-artifacts.ts'
import type { NamespaceBinding, RepositoryBinding } from '../../../src/hub/binding/binding-types.ts'
import { BINDING_CASES } from './contract.ts'

interface DirectGet {
  get(name: string): Promise<RepositoryBinding>
}

/** Calls the stub's own methods, as Workers written for Cloudflare do. */
async function useDirectly(artifacts: Omit<NamespaceBinding, 'get'> & DirectGet): Promise<unknown> {
  const created = await artifacts.create('direct')
  const repo = await artifacts.get('direct')
  try {
    const info = await repo.info()
    const failure = await artifacts.get('none').catch((error: unknown) => String(error))
    const { tokens } = await repo.listTokens()
    const listed = await artifacts.list()
    return {
      isSame: created.id === info.id,
      log: await repo.log(),
      tokens: tokens.length,
      listed: listed.repos.some(({ name }) => name === 'direct'),
      failure,
    }
  } finally {
    repo[Symbol.dispose]()
  }
}

/** The Worker that is bound to the other one, and runs one case through its stub: `/<name of a case>`. Empty when it holds, else why not. */
export default {
  async fetch(
    request: Request,
    { ARTIFACTS }: { readonly ARTIFACTS: ArtifactsStub & Omit<NamespaceBinding, 'get'> & DirectGet },
  ): Promise<Response> {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
    if (name === 'direct') return Response.json(await useDirectly(ARTIFACTS))
    try {
      const binding = connectArtifacts(ARTIFACTS)
      for (const { name: repo } of (await binding.list()).repos) await binding.delete(repo)
      await BINDING_CASES.find((one) => one.name === name)?.run(binding)
      return new Response('')
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  },
}
