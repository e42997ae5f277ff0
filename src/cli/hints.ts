/** What to do about an error, in the words of the command line: by its code, the whole of it or how it begins. */
export const HINTS: readonly (readonly [code: string, hint: string])[] = [
  [
    'EPMD_UNREACHABLE',
    'Is the host right, and does an EPMD run there? `beampeer epmd` runs one; ERL_EPMD_PORT names another port than 4369.',
  ],
  ['EPMD_NAME_TAKEN', 'Another node has this name: stop it, or choose another. `beampeer names` lists them.'],
  [
    'EPMD_PORT_TAKEN',
    'Something listens there already: `--epmd auto` uses a running EPMD, ERL_EPMD_PORT names another port.',
  ],
  ['NODE_NOT_FOUND', '`beampeer names HOST` lists the nodes that the EPMD of a host knows.'],
  [
    'NODE_CONNECT_FAILED',
    'EPMD knows the node, but its port cannot be reached: a firewall, or a node that has just ended?',
  ],
  [
    'NODE_CONNECT_TIMEOUT',
    'The EPMD there, or the node itself, does not answer in time: a firewall, a wrong address, or too short a --timeout? `beampeer doctor NODE` tells which.',
  ],
  [
    'HANDSHAKE_BAD_COOKIE',
    'Use the cookie of that node: --cookie-file FILE, BEAMPEER_COOKIE, or ~/.erlang.cookie.',
  ],
  [
    'HANDSHAKE_CLOSED',
    'The node hung up without a reason: its own log may tell. A wrong cookie looks so to older releases.',
  ],
  ['HANDSHAKE_NOT_ALLOWED', 'That node accepts only nodes that it was told to allow (net_kernel:allow/1).'],
  ['HANDSHAKE_MISSING_FLAGS', 'The release of that node is too old or too new for this one: docs/errors.md.'],
  [
    'HANDSHAKE_TIMEOUT',
    'The port was open but nothing answered as an Erlang node: is it suspended, or behind a proxy or TLS?',
  ],
  ['BAD_NODE_NAME', 'The name of a node has the form name@host, such as app@127.0.0.1.'],
  [
    'COOKIE_',
    'Give the cookie by --cookie-file, BEAMPEER_COOKIE, or ~/.erlang.cookie (mode 0400, owned by you).',
  ],
  [
    'DASHBOARD_LISTEN_FAILED',
    'Choose another address with --host and --port; without --port any free one is taken.',
  ],
  [
    'DASHBOARD_NO_PAGE',
    'The package is not complete: install it again, or in its repository run `npm run build`.',
  ],
  ['DIST_RECORDING_FAILED', 'Name a file that is not there yet, in a folder that you may write to.'],
  ['DASHBOARD_RECORDING_FAILED', 'Name a file that is not there yet, in a folder that you may write to.'],
  ['ETF_PARSE_SYNTAX', 'Arguments are an Erlang list in single quotes: \'[1, {ok, "text"}, <<"binary">>]\'.'],
]
