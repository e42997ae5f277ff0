/** What the standard functions of a node tell, read from the node and from this process. */
import { availableParallelism } from 'node:os'
import type { Kernel } from '../kernel/kernel.js'
import type { Limits } from '../limits.js'
import type { NodeFacts } from '../rex/standard.js'

export function nodeFacts(kernel: Kernel, limits: Limits): NodeFacts {
  return {
    node: () => kernel.table.name,
    creation: () => kernel.table.creation,
    nodes: (type) => kernel.nodes(type),
    processCount: () => kernel.table.processCount,
    memory: () => process.memoryUsage(),
    runtime: process.version,
    architecture: `${process.arch}-${process.platform}`,
    processors: availableParallelism,
    limits,
    processes: kernel.table,
  }
}
