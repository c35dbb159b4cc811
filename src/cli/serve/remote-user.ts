/** Who pushes, as a proxy in front says. */
export interface RemoteUser {
  readonly name: string
  readonly email: string
}

/** The user that a header names; `undefined` when there is none. What would break a reflog line is left out of the name. */
export function readRemoteUser(request: Request, header: string | undefined): RemoteUser | undefined {
  const value = header === undefined ? null : request.headers.get(header)
  // eslint-disable-next-line no-control-regex -- control characters are what is left out
  const name = (value ?? '').replace(/[\u0000-\u001f\u007f<>]/g, '').trim()
  if (name === '') return undefined
  return { name, email: /^\S+@\S+$/.test(name) ? name : `${name.replace(/\s+/g, '.')}@http` }
}

/** The variables in which `git http-backend` tells hooks who pushes. */
export function userVariables({ name, email }: RemoteUser): Record<string, string> {
  return { REMOTE_USER: name, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email }
}
