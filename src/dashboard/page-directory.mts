/** Where the built page is: beside this module. A module of its own because tests, which are CommonJS, cannot load it. */
import { fileURLToPath } from 'node:url'

export const pageDirectory = fileURLToPath(new URL('./web/', import.meta.url))
