/** The version of package.json (a test compares them): reading that file would cost every command its time. */
export const VERSION = '0.1.0'
