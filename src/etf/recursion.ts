/** Depth to which terms are read and written by recursion: well within the smallest stack that engines give. */
export const MAX_RECURSION = 512
