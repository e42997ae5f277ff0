export type * from './link-options.js'
