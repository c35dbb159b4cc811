import { connectArtifacts, type ArtifactsStub } from '../../../src/hub/binding/rpc/connect-artifacts.ts'

/** A Worker of somebody else that is bound to ours: `/create/<name>`, `/read/<name>/<path>`, `/fork/<name>/<fork>`. */
export default {
  async fetch(request: Request, { ARTIFACTS }: { readonly ARTIFACTS: ArtifactsStub }): Promise<Response> {
    const [, action, name = '', argument = ''] = new URL(request.url).pathname.split('/')
    const artifacts = connectArtifacts(ARTIFACTS)
    if (action === 'create') return Response.json(await artifacts.create(name))
    const repository = await artifacts.get(name)
    if (action === 'fork') return Response.json(await repository.fork(argument))
    const file = await repository.readFile({ ref: 'main', path: argument })
    return new Response(file, { status: file === null ? 404 : 200 })
  },
}
