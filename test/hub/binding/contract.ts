import type { BindingCase } from './binding-case.ts'
import { CONTENT_CASES } from './content-cases.ts'
import { NAMESPACE_CASES } from './namespace-cases.ts'

/** The contract of the binding, case by case. */
export const BINDING_CASES: readonly BindingCase[] = [...NAMESPACE_CASES, ...CONTENT_CASES]
