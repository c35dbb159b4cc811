import { startGitHttpBackend } from '../../test/support/servers/git-http-backend.ts'

const [directory = '.'] = process.argv.slice(2)
const server = await startGitHttpBackend(directory)
process.stdout.write(`listening on ${server.url}\n`)
process.once('SIGTERM', () => {
  process.exit()
})
