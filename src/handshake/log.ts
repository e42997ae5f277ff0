/** The lines that a BEAM logs when a handshake fails, which its users look for (dist_util `error_msg`). */
import type { HandshakeError } from '../errors.js'
import { escapeControls, quoteAtom } from './names.js'

/**
 * What OTP would log for this error, or undefined where it logs nothing.
 * @param direction who connected: `out` this node, `in` the peer
 */
export function otpLogLine(
  error: HandshakeError,
  direction: 'in' | 'out',
  thisName: string,
): string | undefined {
  if (error.peerName === undefined) return undefined
  const peer = quoteAtom(error.peerName)
  switch (error.code) {
    case 'HANDSHAKE_MISSING_FLAGS': {
      const [way, how] = direction === 'in' ? ['from', 'rejected'] : ['to', 'aborted']
      const missing = `[${error.missingFlags.map((flag) => `"${flag}"`).join(',')}]`
      return `** ${quoteAtom(thisName)}: Connection attempt ${way} node ${peer} ${how} since it cannot handle ${missing}.**`
    }
    case 'HANDSHAKE_BAD_COOKIE':
      return direction === 'in'
        ? `** Connection attempt from node ${peer} rejected. Invalid challenge reply. **`
        : `** Connection attempt to node ${peer} cancelled. Invalid challenge ack. **`
    case 'HANDSHAKE_NOT_ALLOWED':
      return direction === 'in'
        ? `** Connection attempt from disallowed node ${escapeControls(error.peerName)} **`
        : undefined
    default:
      return undefined
  }
}
