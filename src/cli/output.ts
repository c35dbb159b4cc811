import { once } from 'node:events'

/** Writes to standard output; resolves when more may come. */
export async function writeOut(piece: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
}
