import { join } from 'node:path'
import { openRepositoryAt } from '../../src/cli/open-repository.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { serve } from '../../src/hosts/node/index.ts'
import { createGitHandler, parseProtocolOptions } from '../../src/http/index.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import type { Repository } from '../../src/repository/repository.ts'

// Serves the repositories of one folder as `packstone serve --bare` does, with the portable codecs; everybody may push.
const [directory = '.'] = process.argv.slice(2)
const shared = {
  codecs: createPortableCodecs(),
  receiveCodecs: createPortableCodecs({ collisionDetection: true }),
  memoryBudget: createMemoryBudget(384 << 20),
}
const opened = new Map<string, Promise<Repository>>()
const open = (path: string): Promise<Repository> => {
  const opening = opened.get(path) ?? openRepositoryAt(join(directory, path), shared)
  opened.set(path, opening)
  return opening
}
const onError = (error: unknown): void => {
  process.stderr.write(`${String(error)}\n`)
}
const handler = createGitHandler({
  resolve: async (path) => {
    const repository = await open(path)
    const options = parseProtocolOptions(await repository.readConfig())
    return { kind: 'found', repository, options, access: { upload: true, receive: true } }
  },
  onError,
})
const server = await serve({ handler, host: '127.0.0.1', port: 0, onError })
process.stdout.write(`listening on ${server.url}\n`)
process.once('SIGTERM', () => {
  process.exit()
})
