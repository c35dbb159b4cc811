import type { HookCommand, HookVerdict, PushContext, ReceiveHooks } from '../../http/index.ts'
import { findHook, runHook, type HookName, type HookPlace } from './hook-program.ts'
import { runProcReceiveProgram } from './proc-receive-program.ts'
import { createQuarantineDirectory } from './quarantine-directory.ts'

/** Programs that run between pre-receive and post-receive, outside of git's quarantine. */
const LATE_HOOKS: readonly HookName[] = ['update', 'proc-receive', 'reference-transaction']

/**
 * Makes hooks of a repository's own programs (githooks). Objects are seen by them as git arranges it: in a quarantine directory by
 * pre-receive, in their place by all that come later.
 */
export async function createProgramHooks(place: HookPlace): Promise<ReceiveHooks> {
  const found = async (name: HookName): Promise<boolean> => (await findHook(place, name)) !== undefined
  const late = await Promise.all(LATE_HOOKS.map(found))
  const hasProcReceive = await found('proc-receive')
  return {
    storesObjectsFirst: late.includes(true),

    preReceive: async (commands, context) => {
      if (!(await found('pre-receive'))) return verdict(true)
      const { pack } = context
      const quarantine =
        pack === undefined ? undefined : await createQuarantineDirectory(place.gitDirectory, pack)
      try {
        const env = { ...pushOptionVariables(context), ...quarantine?.env }
        return verdict(
          await runHook(place, 'pre-receive', { input: linesOf(commands), env, ...ends(context) }),
        )
      } finally {
        await quarantine?.remove()
      }
    },

    ...(hasProcReceive
      ? {
          procReceive: (commands: readonly HookCommand[], context: PushContext) =>
            runProcReceiveProgram(place, commands, context),
        }
      : {}),

    update: async ({ name, oldId, newId }, context) =>
      verdict(await runHook(place, 'update', { args: [name, oldId, newId], ...ends(context) })),

    referenceTransaction: async (state, updates, { say }) =>
      verdict(await runHook(place, 'reference-transaction', { args: [state], input: linesOf(updates), say })),

    postReceive: async (commands, context) => {
      const { say } = context
      const env = pushOptionVariables(context)
      await runHook(place, 'post-receive', { input: linesOf(commands), env, say })
      await runHook(place, 'post-update', { args: commands.map(({ name }) => name), say })
    },
  }
}

function ends({ say, signal }: PushContext): Pick<PushContext, 'say' | 'signal'> {
  return { say, signal }
}

function verdict(hasSucceeded: boolean): HookVerdict {
  return hasSucceeded ? { kind: 'accept' } : { kind: 'decline' }
}

function linesOf(commands: readonly HookCommand[]): string {
  return commands.map(({ name, oldId, newId }) => `${oldId} ${newId} ${name}\n`).join('')
}

function pushOptionVariables({ pushOptions }: PushContext): Record<string, string> {
  const variables = pushOptions.map((option, at) => [`GIT_PUSH_OPTION_${at}`, option] as const)
  return { GIT_PUSH_OPTION_COUNT: String(pushOptions.length), ...Object.fromEntries(variables) }
}
