import type { ProgressEvent, ProgressListener, ProgressPhase } from '../pack/progress.ts'

/** Shows progress until it is stopped. */
export interface ProgressBar {
  readonly show: ProgressListener
  /** Leaves the last state on the screen and ends the line. */
  stop(): void
}

const TITLES: Readonly<Record<ProgressPhase, string>> = {
  enumerating: 'Enumerating objects',
  counting: 'Counting objects',
  compressing: 'Compressing objects',
  writing: 'Writing objects',
  receiving: 'Indexing objects',
  resolving: 'Resolving deltas',
}

/** Creates a progress bar on stderr; it stays silent when asked to, and where stderr is not a terminal. */
export async function createProgressBar(options: { readonly quiet: boolean }): Promise<ProgressBar> {
  if (options.quiet || !process.stderr.isTTY) return { show: () => undefined, stop: () => undefined }
  const { SingleBar } = await import('cli-progress')
  let bar: InstanceType<typeof SingleBar> | undefined
  let phase: ProgressPhase | undefined

  const stop = (): void => {
    bar?.stop()
    bar = undefined
  }
  const show = (event: ProgressEvent): void => {
    if (event.phase !== phase) {
      stop()
      phase = event.phase
    }
    if (bar === undefined) {
      const format =
        event.total === undefined ? '{title}: {value}' : '{title}: {percentage}% ({value}/{total}) [{bar}]'
      bar = new SingleBar({ format, stream: process.stderr, barsize: 30, gracefulExit: false })
      bar.start(event.total ?? 0, event.done, { title: TITLES[event.phase] })
      return
    }
    if (event.total !== undefined) bar.setTotal(event.total)
    bar.update(event.done)
  }
  return { show, stop }
}
