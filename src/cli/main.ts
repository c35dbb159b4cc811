#!/usr/bin/env node
import { CommanderError } from 'commander'
import { createProgram } from './program.ts'
import { MISUSE, reportFailure } from './failure.ts'

/** A reader that has seen enough, such as `head`, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') reportFailure(error)
  process.exit()
})

try {
  await createProgram().parseAsync()
} catch (error) {
  // Commander has printed its message already, or the help or version that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : MISUSE
  else reportFailure(error)
}
