/** Pids, ports, references and funs: identities made by some node. `equals` compares; `key` indexes a JavaScript Map. */
import type { Atom } from './atom.js'
import type { Term } from './terms.js'
import { writeEmulatorAtom } from './text-chars.js'

/** A process identifier. `creation` tells one incarnation of `node` from another. */
export class Pid {
  readonly node: Atom
  /** 32 bits. */
  readonly id: number
  /** 32 bits. */
  readonly serial: number
  /** 32 bits. */
  readonly creation: number

  constructor(node: Atom, id: number, serial: number, creation: number) {
    this.node = node
    this.id = id
    this.serial = serial
    this.creation = creation
  }

  equals(other: unknown): boolean {
    return (
      other === this ||
      (other instanceof Pid &&
        other.id === this.id &&
        other.serial === this.serial &&
        other.creation === this.creation &&
        other.node === this.node)
    )
  }

  /** A string that is equal for equal pids and differs for others. */
  get key(): string {
    return `${this.id}.${this.serial}.${this.creation}@${this.node.name}`
  }

  /** As a shell of its own node prints it. */
  toString(): string {
    return `<0.${this.id}.${this.serial}>`
  }
}

/** A port identifier. */
export class Port {
  readonly node: Atom
  /** 64 bits: a bigint only when it is above `Number.MAX_SAFE_INTEGER`. */
  readonly id: number | bigint
  readonly creation: number

  constructor(node: Atom, id: number | bigint, creation: number) {
    this.node = node
    this.id = id
    this.creation = creation
  }

  equals(other: unknown): boolean {
    return (
      other === this ||
      (other instanceof Port &&
        other.id === this.id &&
        other.creation === this.creation &&
        other.node === this.node)
    )
  }

  get key(): string {
    return `${this.id}.${this.creation}@${this.node.name}`
  }

  toString(): string {
    return `#Port<0.${this.id}>`
  }
}

/** A reference; `words` has 1 to 5 numbers of 32 bits, in wire order. Words that are missing are zero, when it is compared. */
export class Reference {
  readonly node: Atom
  readonly creation: number
  readonly words: readonly number[]

  constructor(node: Atom, creation: number, words: readonly number[]) {
    this.node = node
    this.creation = creation
    this.words = words
  }

  equals(other: unknown): boolean {
    if (other === this) return true
    if (!(other instanceof Reference) || other.node !== this.node || other.creation !== this.creation)
      return false
    if (other.words.length !== this.words.length) return other.key === this.key
    for (let i = 0; i < this.words.length; i++) if (this.words[i] !== other.words[i]) return false
    return true
  }

  get key(): string {
    return `${significantWords(this).join('.')}.${this.creation}@${this.node.name}`
  }

  toString(): string {
    return `#Ref<0.${[...this.words].reverse().join('.')}>`
  }
}

/** The words without zeros at the end: Java nodes fill up to three, and the BEAM takes both for one reference. */
export function significantWords({ words }: Reference): readonly number[] {
  let count = words.length
  while (count > 1 && words[count - 1] === 0) count--
  return count === words.length ? words : words.slice(0, count)
}

/**
 * What a closure of a BEAM is made of. {@link Fun} adds what compares it, and is another class because comparing needs to
 * know this one.
 * @internal
 */
export class FunParts {
  readonly module: Atom | boolean
  readonly arity: number
  /** 16 bytes: the MD5 of the significant parts of the module's code. */
  readonly uniq: Uint8Array
  readonly index: number
  readonly oldIndex: number
  readonly oldUniq: number
  readonly pid: Pid
  readonly freeVars: readonly Term[]

  constructor(
    module: Atom | boolean,
    arity: number,
    uniq: Uint8Array,
    index: number,
    oldIndex: number,
    oldUniq: number,
    pid: Pid,
    freeVars: readonly Term[],
  ) {
    this.module = module
    this.arity = arity
    this.uniq = uniq
    this.index = index
    this.oldIndex = oldIndex
    this.oldUniq = oldUniq
    this.pid = pid
    this.freeVars = freeVars
  }
}

/** `fun module:name/arity`. */
export class ExportFun {
  readonly module: Atom | boolean
  readonly function: Atom | boolean
  readonly arity: number

  constructor(module: Atom | boolean, functionName: Atom | boolean, arity: number) {
    this.module = module
    this.function = functionName
    this.arity = arity
  }

  equals(other: unknown): boolean {
    return (
      other === this ||
      (other instanceof ExportFun &&
        other.module === this.module &&
        other.function === this.function &&
        other.arity === this.arity)
    )
  }

  /** A string that is equal for equal funs and differs for others. */
  get key(): string {
    return this.toString()
  }

  /** As the shell prints it. */
  toString(): string {
    return `fun ${writeEmulatorAtom(String(this.module))}:${writeEmulatorAtom(String(this.function))}/${this.arity}`
  }
}
