/** Letters of ids, in byte order. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 16

/** Bytes from here on would make some letters likelier than others. */
const FAIR = 256 - (256 % ALPHABET.length)

/** Makes an id of a repository or a token: 16 characters of `[0-9a-z]`, some 82 bits that nobody can guess. */
export function createId(random: (count: number) => Uint8Array): string {
  let id = ''
  while (id.length < ID_LENGTH) {
    for (const byte of random(ID_LENGTH)) {
      if (byte < FAIR && id.length < ID_LENGTH) id += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return id
}

/** Tells whether a text has the form of an id. */
export function isId(text: string): boolean {
  return /^[0-9a-z]{16}$/.test(text)
}

/**
 * The key under which a repository is stored: made of its id, so that a repository never meets data of another that had its name. The
 * folder in front keeps folders short where keys are files.
 */
export function repositoryKey(id: string): string {
  return `${id.slice(0, 2)}/${id}`
}
