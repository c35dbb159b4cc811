import { contentRoutes } from '../content/content-routes.ts'
import { extensionRoutes } from '../content/extension-routes.ts'
import { importRoutes } from '../import/import-routes.ts'
import { namespaceRoutes } from './namespace-routes.ts'
import { repositoryRoutes } from './repository-routes.ts'
import type { Route } from './route.ts'
import { tokenRoutes } from './token-routes.ts'

/** Every route of the REST interface. */
export const routes: readonly Route[] = [
  ...namespaceRoutes,
  ...repositoryRoutes,
  ...tokenRoutes,
  ...importRoutes,
  ...contentRoutes,
  ...extensionRoutes,
]
