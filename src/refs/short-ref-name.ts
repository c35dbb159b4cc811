/** The full names that a short one may stand for, in the order in which git looks for them (gitrevisions, "refname"). */
export function expandShortName(name: string): readonly string[] {
  return [
    name,
    `refs/${name}`,
    `refs/tags/${name}`,
    `refs/heads/${name}`,
    `refs/remotes/${name}`,
    `refs/remotes/${name}/HEAD`,
  ]
}
