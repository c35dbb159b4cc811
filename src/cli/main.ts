#!/usr/bin/env node
import { createProgram } from './program.ts'
import { reportFailure } from './failure.ts'

/** A reader that has seen enough, such as `head`, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') reportFailure(error)
  process.exit()
})

try {
  await createProgram().parseAsync()
} catch (error) {
  reportFailure(error)
}
