/**
 * The `beampeer` command line. What each subcommand needs is loaded when it runs: `--help` and a mistyped option load
 * nothing of the node.
 */
import { Command, CommanderError, Option } from 'commander'
import { watchStreams, write, writeError } from './output.js'
import {
  address,
  characters,
  hostPort,
  listenPort,
  moduleSpec,
  port,
  seconds,
  type ModuleSpec,
} from './options.js'
import { fail } from './report.js'
import { VERSION } from './version.js'

/** Exit status of a command line that cannot be understood. */
const USAGE_STATUS = 2

const COOKIE_HELP = `
The cookie comes from --cookie, --cookie-file, BEAMPEER_COOKIE, or the file that erl uses
(~/.erlang.cookie). Others on this machine can read the arguments of a command: prefer the last three.`

/** Options of the commands that connect to nodes. */
function connecting(command: Command): Command {
  return command
    .option('--cookie <cookie>', 'the cluster’s cookie')
    .addOption(
      new Option('--cookie-file <file>', 'read the cookie from this file (mode 0400 or 0600)').conflicts(
        'cookie',
      ),
    )
}

/** Of the commands that watch nodes. */
function interval(): Option {
  const option = new Option('--interval <seconds>', 'time between two looks').argParser(seconds)
  // In milliseconds; what the help says is what may be given.
  return option.default(1_000, '1')
}

/** A command that runs on. */
function lasting<Module>(loading: Promise<Module>): Promise<Module> {
  watchStreams()
  return loading
}

function build(): Command {
  const program = new Command('beampeer')
    .description('A Node.js process as an Erlang node: run one, call others, serve EPMD.')
    .version(VERSION)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: writeError })
    .addHelpText(
      'after',
      `
Examples:
  beampeer start --name js@127.0.0.1 --module math=./math.js
  beampeer call rabbit@host rabbit_vhost list
  beampeer ping app@host
  beampeer names

Environment: BEAMPEER_COOKIE, ERL_EPMD_PORT, ERL_EPMD_ADDRESS.`,
    )

  connecting(program.command('start'))
    .description('run a node until it is interrupted')
    .requiredOption('--name <name@host>', 'the node’s name')
    .option('--hidden', 'be a hidden node (the default)')
    .addOption(new Option('--visible', 'be a visible node').conflicts('hidden'))
    .addOption(
      new Option('--epmd <mode>', 'auto: use a running EPMD, else become one')
        .choices(['auto', 'embedded', 'external', 'none'])
        .default('auto'),
    )
    .option('--port <port>', 'accept connections on this port (default: any free one)', listenPort)
    .option('--net-ticktime <seconds>', 'how long a peer may be silent (default: 60)', seconds)
    .option(
      '--module <name=file>',
      'answer calls of module <name> with the functions that a JavaScript file exports; may be repeated',
      (text: string, earlier: ModuleSpec[]) => [...earlier, moduleSpec(text)],
      [],
    )
    .option(
      '--metrics <host:port>',
      'serve metrics of this node to Prometheus at http://HOST:PORT/metrics',
      hostPort,
    )
    .option(
      '--dashboard <host:port>',
      'serve a dashboard of this node and the nodes it is connected to',
      hostPort,
    )
    .action(async (options) => (await lasting(import('./start.js'))).startCommand(options))
    .addHelpText(
      'after',
      `
The first line on standard output is \`ready <name> <distribution port>\`; logs go to standard error.
The functions that FILE exports by name become functions of module NAME; its default export, if it is a
function, is called once with the node before the ready line. A process registered as \`echo\` answers
{From, Message} with Message. Exit status 0 when it was stopped, 1 when it cannot start, or ends because a module left an
error unhandled. With --dashboard, a line \`dashboard <link>\` follows the first. The first SIGINT or SIGTERM sends what is queued and stops it, a second one ends it.
${COOKIE_HELP}

Examples:
  beampeer start --name js@127.0.0.1 --module math=./math.js
    in an Erlang shell:  rpc:call('js@127.0.0.1', math, add, [1, 2]).
  beampeer start --name js@host.example.com --epmd external --port 9100`,
    )

  connecting(program.command('call'))
    .description('call a function of a node and print its result as an Erlang term')
    .argument('<node>', 'name@host')
    .argument('<module>', 'such as lists, or Elixir.String')
    .argument('<function>')
    .argument('[arguments]', 'an Erlang list', '[]')
    .option(
      '--timeout <seconds>',
      'give up after this time, that of connecting included (default: wait)',
      seconds,
    )
    .option('--elixir', 'print the result in Elixir’s notation')
    .addOption(new Option('--json', 'print the result as JSON').conflicts('elixir'))
    .action(async (...args: [string, string, string, string, object]) =>
      (await import('./call.js')).callCommand(...args),
    )
    .addHelpText(
      'after',
      `
Exit status 0 and the result on standard output, or 1 and the reason on standard error. What the function
prints reaches standard output too. In JSON binaries that are text and atoms are strings, tuples are lists, and what
JSON has nothing for is text as Erlang prints it.
${COOKIE_HELP}

Examples:
  beampeer call app@host erlang node
  beampeer call app@host lists seq '[1, 10]'
  beampeer call app@host erlang memory --json
  beampeer call app@host Elixir.String upcase '[<<"žluť"/utf8>>]' --elixir`,
    )

  connecting(program.command('ping'))
    .description('print pong if the node can be connected to, else pang')
    .argument('<node>', 'name@host')
    .option(
      '--timeout <seconds>',
      'give up after this time (default: the limits of each step, some 20 seconds)',
      seconds,
    )
    .option('--json', 'print it as JSON, with the reason and the time it took')
    .action(async (...args: [string, object]) => (await import('./ping.js')).pingCommand(...args))
    .addHelpText(
      'after',
      `
Exit status 0 for pong; 1 for pang, with the reason on standard error.
${COOKIE_HELP}

Examples:
  beampeer ping app@host
  beampeer ping app@host --timeout 2 --json`,
    )

  connecting(program.command('top'))
    .description('watch nodes and their processes')
    .argument('<node...>', 'name@host')
    .option('--once', 'write what is so now, and end')
    .option('--json', 'as --once, as JSON')
    .option('--processes', 'with --once and --json: the first processes of each node, too')
    .addOption(
      new Option('--sort <measure>', 'order of the processes')
        .choices(['memory', 'reductions', 'messageQueueLen'])
        .default('memory'),
    )
    .addOption(interval())
    .option('--metrics <host:port>', 'serve what is seen to Prometheus at http://HOST:PORT/metrics', hostPort)
    .action(async (nodes: string[], options) =>
      (await lasting(import('./top.js'))).topCommand(nodes, options),
    )
    .addHelpText(
      'after',
      `
Nothing is loaded on the nodes. Enter leads from a node to its processes, and to one of them; the last line shows the keys.
Where standard output is no terminal, events are written, one JSON line each.
Exit status 0; with --once or --json 1 if a node is not up. NO_COLOR is heeded.
${COOKIE_HELP}

Examples:
  beampeer top rabbit@db1 app@db1
  beampeer top app@127.0.0.1 --once --processes --sort reductions
  beampeer top app@127.0.0.1 --json`,
    )

  connecting(program.command('dashboard'))
    .description('watch nodes in a browser')
    .argument('[node...]', 'name@host')
    .option('--host <host>', 'listen on this address (default: 127.0.0.1)')
    .option('--port <port>', 'listen on this port (default: any free one)', listenPort)
    .option(
      '--allow-host <name>',
      'a name under which browsers reach it, as through a proxy; may be repeated',
      (name: string, earlier: string[]) => [...earlier, name],
      [],
    )
    .option('--allow-actions', 'let the page end processes and disconnect nodes')
    .addOption(interval())
    .option('--record <file>', 'keep what is shown in a new file')
    .addOption(
      new Option('--replay <file>', 'show what was recorded, instead of nodes').conflicts([
        'record',
        'allowActions',
      ]),
    )
    .action(async (nodes: string[], options, command: Command) => {
      if ((nodes.length === 0) !== (options.replay !== undefined))
        command.error('error: give the nodes to watch, or a recording with --replay')
      await (await lasting(import('./dashboard.js'))).dashboardCommand(nodes, options)
    })
    .addHelpText(
      'after',
      `
The first line on standard output is \`ready <link>\`: who opens the link is signed in. It can be used once; each time one
was used, another is printed (\`link <link>\`). Nothing is loaded on the nodes. There is no TLS: for other machines' browsers use
an SSH tunnel, or a proxy that has it. Ends at SIGINT or SIGTERM with exit status 0.
${COOKIE_HELP}

Examples:
  beampeer dashboard rabbit@db1 app@db1
  beampeer dashboard app@127.0.0.1 --port 4001 --record monday.dashboard
  beampeer dashboard --replay monday.dashboard`,
    )

  connecting(program.command('doctor'))
    .description('say which layer on the way to a node fails, and how to mend it')
    .argument('<node>', 'name@host')
    .option('--name <name@host>', 'the name that is to be used with that node: is it of its kind, and free?')
    .option('--epmd-port <port>', 'the port of the EPMD there (default: ERL_EPMD_PORT, else 4369)', port)
    .option('--net-ticktime <seconds>', 'to compare the node’s with (default: 60)', seconds)
    .option('--timeout <seconds>', 'how long each step may take (default: 7)', seconds)
    .option('--json', 'print what was found as JSON')
    .action(async (...args: [string, object]) => (await import('./doctor.js')).doctorCommand(...args))
    .addHelpText(
      'after',
      `
Walks name, cookie, host, EPMD, registration, port, handshake and tick, and stops at the first that fails.
Exit status 0 if all are well, else 1.
${COOKIE_HELP}

Examples:
  beampeer doctor rabbit@db1
  beampeer doctor app@10.0.0.7 --cookie-file ./cookie --json`,
    )

  program
    .command('names')
    .description('list the names that an EPMD knows, with their ports')
    .argument('[host]', 'default: this one', '127.0.0.1')
    .option('--port <port>', 'the EPMD’s port (default: ERL_EPMD_PORT, else 4369)', port)
    .option('--json', 'print them as JSON')
    .action(async (...args: [string, object]) => (await import('./names.js')).namesCommand(...args))
    .addHelpText(
      'after',
      `
Exit status 0; 1, and the reason on standard error, when no EPMD answers.

Examples:
  beampeer names
  beampeer names db1.example.com --json`,
    )

  program
    .command('inspect')
    .description('show what nodes say to each other: live, or as it was recorded')
    .argument('<node or file>', 'name@host, or a recording')
    .option('--port <port>', 'listen on this port (default: any free one)', listenPort)
    .option('--record <file>', 'also write it to a new file, without challenges and digests')
    .option('--width <characters>', 'cut terms that are longer (default: 400)', characters)
    .option('--ticks', 'show ticks too')
    .option('--json', 'a JSON object in each line')
    .action(async (...args: [string, object]) =>
      (await lasting(import('./inspect.js'))).inspectCommand(...args),
    )
    .addHelpText(
      'after',
      `
Of a node, what comes through this command is shown: the first line on standard output is \`ready <name> <port>\`, and
whoever connects to that port instead of the node's own is passed on and seen. No cookie is needed. Ends at SIGINT or SIGTERM with
exit status 0, but 1 if a recording could not be written whole.

Examples:
  beampeer inspect app@host --record session.wire
    erl -name b@host -start_epmd false -dist_listen false -erl_epmd_port <port> -remsh app@host
  beampeer inspect session.wire`,
    )

  program
    .command('epmd')
    .description('run an EPMD in the foreground')
    .option(
      '--port <port>',
      'listen on this port (default: ERL_EPMD_PORT, else 4369; 0: any free one)',
      listenPort,
    )
    .option(
      '--address <addresses>',
      'listen on these IP addresses, separated by commas, and on loopback (default: ERL_EPMD_ADDRESS, else loopback)',
      address,
    )
    .option(
      '--packet-timeout <seconds>',
      'close a connection that has not said what it wants (default: 60)',
      seconds,
    )
    .option('--relaxed-command-check', 'let `epmd -kill` and `epmd -stop` work while nodes are registered')
    .option('--delay-write <seconds>', 'pause before each answer (to test clients)', seconds)
    .action(async (options) => (await lasting(import('./epmd.js'))).epmdCommand(options))
    .addHelpText(
      'after',
      `
The first line on standard output is \`ready <port>\`. The switches are those of OTP’s epmd. Ends at
SIGINT or SIGTERM, or when a client may and does kill it, with exit status 0; 1 when it cannot listen.

Examples:
  beampeer epmd
  beampeer epmd --port 4370 --address 10.0.0.7`,
    )
  return program
}

/** Runs a command line; sets the exit status. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await build().parseAsync(argv)
  } catch (error) {
    // Commander has already said what is wrong, and has printed help and version.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS
    else fail(error)
  }
}
