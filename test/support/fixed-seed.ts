import fc from 'fast-check'

/** Properties are checked on the same values every time, unless `FC_SEED` names another seed: a failure belongs to a change. */
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 1) })
