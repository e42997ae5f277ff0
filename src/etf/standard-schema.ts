/**
 * The Standard Schema interface, version 1 (standardschema.dev): what zod, valibot, arktype and others have in common,
 * and every schema here implements. Declared here rather than imported, as its specification invites.
 */

/** A schema of any library that turns an `Input` into an `Output` or says what is wrong with it. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** Name of the library. */
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    /** Only for the type checker; never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema decodes to. */
export type Infer<S extends StandardSchemaV1> = NonNullable<S['~standard']['types']>['output']
