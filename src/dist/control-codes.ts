/**
 * Control messages: their numbers in OTP's words (OTP "Distribution Protocol", "Protocol between Connected Nodes";
 * `enum dop` of erts). 9 to 11, 14, 15 and 17 were never given or are long gone; NODE_LINK is in the document, but no
 * BEAM knows it.
 */
export const LINK = 1
export const SEND = 2
export const EXIT = 3
export const UNLINK = 4
export const NODE_LINK = 5
export const REG_SEND = 6
export const GROUP_LEADER = 7
export const EXIT2 = 8
export const SEND_TT = 12
export const EXIT_TT = 13
export const REG_SEND_TT = 16
export const EXIT2_TT = 18
export const MONITOR_P = 19
export const DEMONITOR_P = 20
export const MONITOR_P_EXIT = 21
export const SEND_SENDER = 22
export const SEND_SENDER_TT = 23
export const PAYLOAD_EXIT = 24
export const PAYLOAD_EXIT_TT = 25
export const PAYLOAD_EXIT2 = 26
export const PAYLOAD_EXIT2_TT = 27
export const PAYLOAD_MONITOR_P_EXIT = 28
export const SPAWN_REQUEST = 29
export const SPAWN_REQUEST_TT = 30
export const SPAWN_REPLY = 31
export const SPAWN_REPLY_TT = 32
export const ALIAS_SEND = 33
export const ALIAS_SEND_TT = 34
export const UNLINK_ID = 35
export const UNLINK_ID_ACK = 36
export const ALTACT_SIG_SEND = 37

/** Bits of the second element of ALTACT_SIG_SEND. */
export const ALTACT_SIG_FLG_PRIO = 1
export const ALTACT_SIG_FLG_TOKEN = 2
export const ALTACT_SIG_FLG_ALIAS = 4
export const ALTACT_SIG_FLG_NAME = 8
export const ALTACT_SIG_FLG_EXIT = 16

/** OTP's name of a control message, for error messages and inspection. */
export const CONTROL_NAMES: Readonly<Record<number, string>> = Object.freeze({
  [LINK]: 'LINK',
  [SEND]: 'SEND',
  [EXIT]: 'EXIT',
  [UNLINK]: 'UNLINK',
  [NODE_LINK]: 'NODE_LINK',
  [REG_SEND]: 'REG_SEND',
  [GROUP_LEADER]: 'GROUP_LEADER',
  [EXIT2]: 'EXIT2',
  [SEND_TT]: 'SEND_TT',
  [EXIT_TT]: 'EXIT_TT',
  [REG_SEND_TT]: 'REG_SEND_TT',
  [EXIT2_TT]: 'EXIT2_TT',
  [MONITOR_P]: 'MONITOR_P',
  [DEMONITOR_P]: 'DEMONITOR_P',
  [MONITOR_P_EXIT]: 'MONITOR_P_EXIT',
  [SEND_SENDER]: 'SEND_SENDER',
  [SEND_SENDER_TT]: 'SEND_SENDER_TT',
  [PAYLOAD_EXIT]: 'PAYLOAD_EXIT',
  [PAYLOAD_EXIT_TT]: 'PAYLOAD_EXIT_TT',
  [PAYLOAD_EXIT2]: 'PAYLOAD_EXIT2',
  [PAYLOAD_EXIT2_TT]: 'PAYLOAD_EXIT2_TT',
  [PAYLOAD_MONITOR_P_EXIT]: 'PAYLOAD_MONITOR_P_EXIT',
  [SPAWN_REQUEST]: 'SPAWN_REQUEST',
  [SPAWN_REQUEST_TT]: 'SPAWN_REQUEST_TT',
  [SPAWN_REPLY]: 'SPAWN_REPLY',
  [SPAWN_REPLY_TT]: 'SPAWN_REPLY_TT',
  [ALIAS_SEND]: 'ALIAS_SEND',
  [ALIAS_SEND_TT]: 'ALIAS_SEND_TT',
  [UNLINK_ID]: 'UNLINK_ID',
  [UNLINK_ID_ACK]: 'UNLINK_ID_ACK',
  [ALTACT_SIG_SEND]: 'ALTACT_SIG_SEND',
})
