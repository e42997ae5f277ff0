import * as op from '../../../src/dist/control-codes.js'
import { attachPayload, decodeControl } from '../../../src/dist/control-decode.js'
import { readSpawnOptions } from '../../../src/process/spawn-options.js'
import { isSent, senderOf, writeControl } from '../../../src/dist/control-encode.js'
import type { SignalIn, SignalOut } from '../../../src/dist/signals.js'
import { atom } from '../../../src/etf/atom.js'
import { Reader } from '../../../src/etf/decode.js'
import { Pid, Reference } from '../../../src/etf/identifiers.js'
import type { Term } from '../../../src/etf/terms.js'
import { Tuple, tuple } from '../../../src/etf/tuple.js'
import { ImproperList } from '../../../src/etf/values.js'
import { Writer } from '../../../src/etf/writer.js'
import { ALL_FEATURES, HERE, THERE, pidHere, pidThere, refHere } from '../../support/channels.js'

const P = pidThere(1)
const Q = pidHere(2)
const R = refHere(1, 2, 3)
const MFA = tuple(atom('m'), atom('f'), 2)
const decode = (...elements: Term[]): SignalIn => decodeControl(new Tuple(elements), THERE).signal

describe('a control message that a BEAM takes for invalid', () => {
  it.each<[string, Term]>([
    ['is no tuple', atom('hello')],
    ['is an empty tuple', new Tuple([])],
    ['starts with an atom', tuple(atom('send'), P, Q)],
    ['is a LINK of two elements', tuple(op.LINK, P)],
    ['is a LINK of four elements', tuple(op.LINK, P, Q, Q)],
    ['is a LINK from an atom', tuple(op.LINK, atom('a'), Q)],
    ['is a LINK to a name', tuple(op.LINK, P, atom('a'))],
    ['is a LINK from a process of another node', tuple(op.LINK, new Pid(atom('o@h'), 1, 0, 1), Q)],
    ['is a SEND to a name', tuple(op.SEND, atom(''), atom('a'))],
    ['is a SEND_SENDER to a reference', tuple(op.SEND_SENDER, P, R)],
    ['is a SEND_TT without token', tuple(op.SEND_TT, atom(''), Q)],
    ['is a SEND_SENDER_TT without token', tuple(op.SEND_SENDER_TT, P, Q)],
    ['is a REG_SEND to a pid', tuple(op.REG_SEND, P, atom(''), Q)],
    ['is a REG_SEND from a name', tuple(op.REG_SEND, atom('a'), atom(''), atom('b'))],
    ['is a REG_SEND_TT without token', tuple(op.REG_SEND_TT, P, atom(''), atom('b'))],
    ['is an ALIAS_SEND to a pid', tuple(op.ALIAS_SEND, P, Q)],
    ['is an ALIAS_SEND_TT without token', tuple(op.ALIAS_SEND_TT, P, R)],
    ['is an UNLINK to a name', tuple(op.UNLINK, P, atom('a'))],
    ['is an UNLINK_ID with id 0', tuple(op.UNLINK_ID, 0, P, Q)],
    ['is an UNLINK_ID with a negative id', tuple(op.UNLINK_ID, -1, P, Q)],
    ['is an UNLINK_ID with an id of 65 bits', tuple(op.UNLINK_ID, 2n ** 64n, P, Q)],
    ['is an UNLINK_ID with an atom as id', tuple(op.UNLINK_ID, atom('a'), P, Q)],
    ['is an UNLINK_ID_ACK from another node', tuple(op.UNLINK_ID_ACK, 1, Q, Q)],
    ['is an EXIT from a name', tuple(op.EXIT, atom('a'), Q, atom('r'))],
    ['is an EXIT without reason', tuple(op.EXIT, P, Q)],
    ['is an EXIT_TT without token', tuple(op.EXIT_TT, P, Q, atom('r'))],
    ['is a PAYLOAD_EXIT with a reason', tuple(op.PAYLOAD_EXIT, P, Q, atom('r'))],
    ['is a PAYLOAD_EXIT_TT without token', tuple(op.PAYLOAD_EXIT_TT, P, Q)],
    ['is an EXIT2 to a name', tuple(op.EXIT2, P, atom('a'), atom('r'))],
    ['is an EXIT2 from another node', tuple(op.EXIT2, Q, Q, atom('r'))],
    ['is an EXIT2_TT without token', tuple(op.EXIT2_TT, P, Q, atom('r'))],
    ['is a PAYLOAD_EXIT2 of two elements', tuple(op.PAYLOAD_EXIT2, P)],
    ['is a PAYLOAD_EXIT2_TT without token', tuple(op.PAYLOAD_EXIT2_TT, P, Q)],
    ['is a MONITOR_P without reference', tuple(op.MONITOR_P, P, Q, atom('r'))],
    ['is a MONITOR_P of a number', tuple(op.MONITOR_P, P, 7, R)],
    ['is a DEMONITOR_P from another node', tuple(op.DEMONITOR_P, Q, Q, R)],
    ['is a MONITOR_P_EXIT without reason', tuple(op.MONITOR_P_EXIT, P, Q, R)],
    ['is a MONITOR_P_EXIT of a number', tuple(op.MONITOR_P_EXIT, 7, Q, R, atom('r'))],
    ['is a PAYLOAD_MONITOR_P_EXIT to a name', tuple(op.PAYLOAD_MONITOR_P_EXIT, P, atom('a'), R)],
    ['is a GROUP_LEADER of a name', tuple(op.GROUP_LEADER, P, atom('a'))],
    ['is a SPAWN_REQUEST without reference', tuple(op.SPAWN_REQUEST, P, P, P, MFA, [])],
    ['is a SPAWN_REQUEST without MFA', tuple(op.SPAWN_REQUEST, R, P, P, atom('m'), [])],
    ['is a SPAWN_REQUEST of {M, F}', tuple(op.SPAWN_REQUEST, R, P, P, tuple(atom('m'), atom('f')), [])],
    ['is a SPAWN_REQUEST of a fun', tuple(op.SPAWN_REQUEST, R, P, P, tuple(1, atom('f'), 2), [])],
    [
      'is a SPAWN_REQUEST of no arity',
      tuple(op.SPAWN_REQUEST, R, P, P, tuple(atom('m'), atom('f'), atom('x')), []),
    ],
    ['is a SPAWN_REQUEST_TT without token', tuple(op.SPAWN_REQUEST_TT, R, P, P, MFA, [])],
    ['is a SPAWN_REPLY with negative flags', tuple(op.SPAWN_REPLY, R, Q, -1, P)],
    ['is a SPAWN_REPLY with flags of 28 bits', tuple(op.SPAWN_REPLY, R, Q, 1 << 27, P)],
    ['is a SPAWN_REPLY with a number', tuple(op.SPAWN_REPLY, R, Q, 0, 7)],
    ['is a SPAWN_REPLY_TT without token', tuple(op.SPAWN_REPLY_TT, R, Q, 0, P)],
    ['is an ALTACT_SIG_SEND of three elements', tuple(op.ALTACT_SIG_SEND, 0, P)],
    ['is an ALTACT_SIG_SEND with negative flags', tuple(op.ALTACT_SIG_SEND, -1, P, Q)],
    ['is an ALTACT_SIG_SEND with an atom as flags', tuple(op.ALTACT_SIG_SEND, atom('a'), P, Q)],
    ['is an ALTACT_SIG_SEND without its token', tuple(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_TOKEN, P, Q)],
    ['is an ALTACT_SIG_SEND to alias and name', tuple(op.ALTACT_SIG_SEND, 12, P, R)],
    ['is an ALTACT_SIG_SEND to no alias', tuple(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_ALIAS, P, Q)],
    ['is an ALTACT_SIG_SEND to no name', tuple(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_NAME, P, Q)],
    ['is an ALTACT_SIG_SEND to no pid', tuple(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_PRIO, P, R)],
    ['is an ALTACT_SIG_SEND from a name', tuple(op.ALTACT_SIG_SEND, 0, atom('a'), Q)],
  ])('%s', (_what, control) => {
    expect(() => decodeControl(control, THERE)).toThrow(expect.objectContaining({ code: 'DIST_BAD_CONTROL' }))
  })

  it.each([0, op.NODE_LINK, 9, 10, 11, 14, 15, 17, 38, 255, -1, 1.5, 2 ** 40])(
    'has the number %p',
    (number) => {
      expect(() => decode(number, P, Q)).toThrow(
        expect.objectContaining({
          code: 'DIST_UNKNOWN_CONTROL',
          message: expect.stringContaining(String(number)),
        }),
      )
    },
  )

  it('is named, with its element, in the error', () => {
    expect(() => decode(op.MONITOR_P, P, 7, R)).toThrow('element 3 of MONITOR_P is not a pid or an atom')
  })
})

describe('a control message to or of a wrong node, which a BEAM takes for invalid', () => {
  const third = new Pid(atom('o@h'), 1, 0, 1)
  const theirs = new Reference(THERE, 1, [1, 2, 3])
  const reason = atom('r')
  const to = (pid: Pid): [string, Term[]][] => [
    ['LINK', [op.LINK, P, pid]],
    ['UNLINK', [op.UNLINK, P, pid]],
    ['UNLINK_ID', [op.UNLINK_ID, 1, P, pid]],
    ['UNLINK_ID_ACK', [op.UNLINK_ID_ACK, 1, P, pid]],
    ['EXIT', [op.EXIT, P, pid, reason]],
    ['EXIT_TT', [op.EXIT_TT, P, pid, 1, reason]],
    ['EXIT2', [op.EXIT2, P, pid, reason]],
    ['EXIT2_TT', [op.EXIT2_TT, P, pid, 1, reason]],
    ['PAYLOAD_EXIT', [op.PAYLOAD_EXIT, P, pid]],
    ['PAYLOAD_EXIT2', [op.PAYLOAD_EXIT2, P, pid]],
    ['MONITOR_P', [op.MONITOR_P, P, pid, R]],
    ['DEMONITOR_P', [op.DEMONITOR_P, P, pid, R]],
    ['MONITOR_P_EXIT', [op.MONITOR_P_EXIT, P, pid, R, reason]],
    ['PAYLOAD_MONITOR_P_EXIT', [op.PAYLOAD_MONITOR_P_EXIT, P, pid, R]],
    ['SPAWN_REPLY', [op.SPAWN_REPLY, R, pid, 0, P]],
  ]
  const read = (elements: Term[]) => decodeControl(new Tuple(elements), THERE, HERE)

  it.each(to(Q))('%s is for this node', (_name, elements) => expect(() => read(elements)).not.toThrow())

  it.each([...to(P), ...to(third)])('%s for another node', (name, elements) => {
    expect(() => read(elements)).toThrow(
      expect.objectContaining({
        code: 'DIST_BAD_CONTROL',
        message: expect.stringContaining(`${name} is not a pid of`),
      }),
    )
  })

  it.each<[string, Term[], string]>([
    [
      'a monitor of a process of this node',
      [op.MONITOR_P_EXIT, Q, Q, R, reason],
      'element 2 of MONITOR_P_EXIT',
    ],
    [
      'a spawn request of a process of this node',
      [op.SPAWN_REQUEST, theirs, Q, P, MFA, []],
      'element 3 of SPAWN_REQUEST',
    ],
    [
      'a spawn request by a reference of this node',
      [op.SPAWN_REQUEST, R, P, P, MFA, []],
      'element 2 of SPAWN_REQUEST',
    ],
    ['the reply to a request of another node', [op.SPAWN_REPLY, theirs, Q, 0, P], 'element 2 of SPAWN_REPLY'],
  ])('%s', (_what, elements, where) => {
    expect(() => read(elements)).toThrow(where)
  })

  it('but a message, or a group leader, for another node is only lost', () => {
    expect(read([op.SEND_SENDER, P, third]).signal).toMatchObject({ type: 'send', to: third })
    expect(read([op.GROUP_LEADER, P, third]).signal).toMatchObject({ type: 'groupLeader', to: third })
  })
})

describe('a control message that a BEAM accepts', () => {
  it('may have anything where SEND had a cookie', () => {
    expect(decode(op.SEND, 7, Q)).toEqual({ type: 'send', from: undefined, to: Q, message: false })
    expect(decode(op.REG_SEND, P, 7, atom('a'))).toMatchObject({ type: 'regSend', from: P })
    expect(decode(op.ALIAS_SEND, 7, R)).toEqual({ type: 'aliasSend', from: undefined, to: R, message: false })
    expect(decode(op.ALIAS_SEND_TT, 7, R, 1)).toMatchObject({ type: 'aliasSend', from: undefined })
  })

  it('may be from any node where erts does not ask', () => {
    const third = new Pid(atom('o@h'), 1, 0, 1)
    expect(decode(op.SEND_SENDER, third, Q)).toMatchObject({ type: 'send', from: third })
    expect(decode(op.MONITOR_P_EXIT, third, Q, R, atom('r'))).toMatchObject({
      type: 'monitorExit',
      from: third,
    })
    expect(decode(op.GROUP_LEADER, third, Q)).toMatchObject({ type: 'groupLeader', from: third })
    expect(decode(op.SPAWN_REQUEST, R, third, third, MFA, [])).toMatchObject({
      type: 'spawnRequest',
      from: third,
    })
  })

  it('may have unknown flags and further elements, when it is ALTACT_SIG_SEND', () => {
    expect(decode(op.ALTACT_SIG_SEND, (1n << 70n) + 1n, P, Q, 'x' as unknown as Term, 1)).toEqual({
      type: 'altactSend',
      from: P,
      to: Q,
      message: false,
      priority: true,
      exit: false,
    })
  })

  it('is the plain signal when ALTACT_SIG_SEND is neither urgent nor an exit', () => {
    expect(decode(op.ALTACT_SIG_SEND, 0, P, Q).type).toBe('send')
    expect(decode(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_ALIAS, P, R).type).toBe('aliasSend')
    expect(decode(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_NAME, P, true).type).toBe('regSend')
    expect(decode(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_TOKEN, P, Q, 5)).toMatchObject({
      type: 'send',
      traceToken: 5,
    })
  })

  it('may be the old UNLINK, and an UNLINK_ID with the largest id', () => {
    expect(decode(op.UNLINK, P, Q)).toEqual({ type: 'unlink', from: P, to: Q })
    expect(decode(op.UNLINK_ID, 2n ** 64n - 1n, P, Q)).toMatchObject({ id: 2n ** 64n - 1n })
  })

  it('may be a SPAWN_REQUEST with options that are no proper list: they are as bad as an unknown one', () => {
    for (const options of [new ImproperList([atom('link')], 2), atom('link'), P, 7]) {
      const { signal } = decodeControl(tuple(op.SPAWN_REQUEST, R, P, P, MFA, options as Term), THERE)
      expect(signal).toMatchObject({ type: 'spawnRequest', options: [tuple()] })
      expect(readSpawnOptions((signal as SignalIn & { type: 'spawnRequest' }).options)).toBeUndefined()
    }
  })

  it('may be from whom it likes when no peer is named', () => {
    expect(decodeControl(tuple(op.LINK, Q, P)).signal).toEqual({ type: 'link', from: Q, to: P })
  })
})

it('refuses arguments of a spawn request that are no list', () => {
  const { signal } = decodeControl(tuple(op.SPAWN_REQUEST, R, P, P, MFA, []), THERE)
  expect(() => attachPayload(signal, atom('args'))).toThrow(
    expect.objectContaining({ code: 'DIST_BAD_PAYLOAD' }),
  )
  attachPayload(signal, [1, 2])
  expect(signal).toMatchObject({ args: [1, 2] })
})

describe('a signal to a peer that lacks a flag', () => {
  const written = (signal: SignalOut, missing: Partial<typeof ALL_FEATURES>): Term => {
    const writer = new Writer()
    writeControl(writer, signal, { ...ALL_FEATURES, ...missing }, {})
    return new Reader(writer.bytes, 0, writer.position).readTerm()
  }
  const none = {
    sendSender: false,
    unlinkId: false,
    exitPayload: false,
    spawn: false,
    alias: false,
    altactSig: false,
  }
  const from = pidHere(1)
  const to = pidThere(1)
  const alias = new Reference(THERE, 9, [1, 2, 3])
  const message = atom('m')

  it('takes the form that the peer knows', () => {
    expect(written({ type: 'send', from, to, message }, none)).toEqual(tuple(op.SEND, atom(''), to))
    expect(written({ type: 'send', from: undefined, to, message }, {})).toEqual(tuple(op.SEND, atom(''), to))
    expect(written({ type: 'unlinkId', id: 5, from, to }, none)).toEqual(tuple(op.UNLINK, from, to))
    expect(written({ type: 'exit', from, to, reason: message }, none)).toEqual(
      tuple(op.EXIT, from, to, message),
    )
    expect(written({ type: 'exit2', from, to, reason: message, traceToken: 1 }, none)).toEqual(
      tuple(op.EXIT2_TT, from, to, 1, message),
    )
    expect(written({ type: 'monitorExit', from, to, ref: alias, reason: message }, none)).toEqual(
      tuple(op.MONITOR_P_EXIT, from, to, alias, message),
    )
    expect(written({ type: 'aliasSend', from, to: alias, message }, { altactSig: false })).toEqual(
      tuple(op.ALIAS_SEND, from, alias),
    )
    expect(written({ type: 'aliasSend', from, to: alias, message }, {})).toEqual(
      tuple(op.ALTACT_SIG_SEND, op.ALTACT_SIG_FLG_ALIAS, from, alias),
    )
  })

  it('is an ordinary one instead of an urgent one', () => {
    const urgent = { type: 'altactSend', from, message, priority: true } as const
    const old = { altactSig: false }
    expect(written({ ...urgent, to, exit: false }, old)).toEqual(tuple(op.SEND_SENDER, from, to))
    expect(written({ ...urgent, to: atom('a'), exit: false, traceToken: 1 }, old)).toEqual(
      tuple(op.REG_SEND_TT, from, atom(''), atom('a'), 1),
    )
    expect(written({ ...urgent, to: alias, exit: false }, old)).toEqual(tuple(op.ALIAS_SEND, from, alias))
    expect(written({ ...urgent, to, exit: true }, old)).toEqual(tuple(op.PAYLOAD_EXIT2, from, to))
    expect(written({ ...urgent, to, exit: true }, { ...old, exitPayload: false })).toEqual(
      tuple(op.EXIT2, from, to, message),
    )
  })

  it.each<[string, SignalOut, Partial<typeof ALL_FEATURES>]>([
    [
      'a spawn request',
      {
        type: 'spawnRequest',
        ref: R,
        from,
        groupLeader: from,
        module: atom('m'),
        function: atom('f'),
        arity: 0,
        options: [],
        args: [],
      },
      { spawn: false },
    ],
    ['a spawn reply', { type: 'spawnReply', ref: alias, to, flags: 0, result: from }, { spawn: false }],
    [
      'a message to an alias',
      { type: 'aliasSend', from, to: alias, message },
      { alias: false, altactSig: false },
    ],
    [
      'an exit to an alias',
      { type: 'altactSend', from, to: alias, message, priority: false, exit: true },
      { altactSig: false },
    ],
    ['an UNLINK_ID_ACK', { type: 'unlinkIdAck', id: 1, from, to }, { unlinkId: false }],
    ['the old UNLINK where UNLINK_ID was negotiated', { type: 'unlink', from, to }, {}],
  ])('%s is an error', (_what, signal, missing) => {
    expect(() => written(signal, missing)).toThrow(expect.objectContaining({ code: 'DIST_NOT_NEGOTIATED' }))
  })

  it('is not sent at all where a BEAM sends none', () => {
    const monitor: SignalOut = { type: 'monitor', from, to, ref: R }
    expect(isSent(monitor, ALL_FEATURES)).toBe(true)
    expect(isSent(monitor, { ...ALL_FEATURES, monitor: false })).toBe(false)
    expect(isSent({ ...monitor, type: 'demonitor' }, { ...ALL_FEATURES, monitor: false })).toBe(false)
    expect(isSent({ type: 'unlinkIdAck', id: 1, from, to }, none)).toBe(false)
    expect(isSent({ type: 'link', from, to }, none)).toBe(true)
  })
})

it('knows whose signal it is', () => {
  const from = pidHere(1)
  const to = pidThere(2)
  expect(senderOf({ type: 'link', from, to })).toBe(from)
  expect(senderOf({ type: 'monitorExit', from: atom('rex'), to, ref: R, reason: 1 })).toBeUndefined()
  expect(senderOf({ type: 'monitorExit', from, to, ref: R, reason: 1 })).toBe(from)
  expect(senderOf({ type: 'spawnReply', ref: R, to, flags: 0, result: from })).toBe(from)
  expect(senderOf({ type: 'spawnReply', ref: R, to, flags: 0, result: atom('badopt') })).toBeUndefined()
  expect(HERE).not.toBe(THERE)
})
