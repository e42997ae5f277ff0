/** Calls of peers for which `rex` is all they know: erl_call of several releases, a C node, a Java node, OTP 23. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atom, withContext, type ErlangNode } from '../../src/index.js'
import { closeAtEnd, cookie, defaultRelease, privateEpmd, startBeam, until } from '../support/beam.js'
import { startNode } from '../support/nodes.js'
import { otpCommand } from '../support/otp.js'
import { installPeer } from '../support/peers.js'
import { run, start } from '../support/process.js'

let node: ErlangNode
let directory: string
let env: Record<string, string>

beforeAll(async () => {
  node = await startNode()
  env = { ERL_EPMD_PORT: String(await privateEpmd()), HOME: '/tmp' }
  node.expose('math', {
    add: (a: number, b: number) => a + b,
    later: async (x: number) => Promise.resolve(x * 2),
    fail: () => {
      throw new RangeError('too far')
    },
    print: withContext(async ({ io }) => {
      await io.write('to your shell\n')
      return atom('printed')
    }),
  })
  directory = await mkdtemp(join(tmpdir(), 'beampeer-foreign-'))
  closeAtEnd(() => rm(directory, { recursive: true }))
})

describe(`erl_call of OTP ${defaultRelease()}`, () => {
  const call = async (apply: string, ...more: string[]) => {
    const { command, args } = otpCommand('erl_call', defaultRelease())
    const all = [...args, '-c', cookie, '-name', node.name, '-r', '-timeout', '60', ...more, '-a', apply]
    return run(command, all, { env })
  }

  test.each([
    ['math add [1,2]', '3'],
    ['math later [21]', '42'],
    ['erlang node []', /^'?js.*@127\.0\.0\.1'?$/],
    ['math fail []', /\{badrpc,\s*\{'EXIT',\s*\{\{js_error,/],
    ['math missing []', /\{badrpc,\s*\{'EXIT',\s*\{undef,\s*\[\{math,\s*missing,\s*\[\],\s*\[\]\}\]\}\}\}/],
    ['os cmd ["id"]', /undef/],
  ])('%s', async (apply, expected) => {
    const stdout = (await call(apply)).stdout.trimEnd()
    if (typeof expected === 'string') expect(stdout).toBe(expected)
    else expect(stdout).toMatch(expected)
  })

  // The switch came with OTP 24.
  const fetches = defaultRelease() >= 24
  test(`-fetch_stdout ${fetches ? 'shows what the function prints' : 'is not there yet: the result comes all the same'}`, async () => {
    const { stdout } = await call('math print []', ...(fetches ? ['-fetch_stdout'] : []))
    expect(stdout.trimEnd()).toBe(fetches ? 'to your shell\nprinted' : 'printed')
  })
})

/** A program of libei, compiled. */
async function compiled(name: string, source: string): Promise<string> {
  await installPeer('c')
  const root = `/usr/lib/erlang/lib/`
  const lib = execFileSync('sh', ['-c', `ls -d ${root}erl_interface-*`])
    .toString()
    .trim()
    .split('\n')
    .pop() as string
  await writeFile(join(directory, `${name}.c`), source)
  const program = join(directory, name)
  execFileSync('cc', [
    '-o',
    program,
    join(directory, `${name}.c`),
    `-I${lib}/include`,
    '-I/usr/lib/erlang/usr/include',
    `-L${lib}/lib`,
    '-lei',
    '-lpthread',
  ])
  return program
}

test('a C node of libei: ei_rpc', async () => {
  const source = String.raw`
    #include <stdio.h>
    #include <stdlib.h>
    #include "ei.h"
    int main(int argc, char **argv) {
      ei_cnode ec; ei_x_buff args, result; int fd, version, index = 0; long value;
      ei_init();
      if (ei_connect_init(&ec, "c_client", argv[2], 0) < 0) return 2;
      if ((fd = ei_connect(&ec, argv[1])) < 0) return 3;
      ei_x_new(&args); ei_x_new(&result);
      ei_x_encode_list_header(&args, 2); ei_x_encode_long(&args, 40); ei_x_encode_long(&args, 2); ei_x_encode_empty_list(&args);
      for (int i = 0; i < 1000; i++) {
        if (ei_rpc(&ec, fd, "math", "add", args.buff, args.index, &result) < 0) return 4;
        index = 0;
        if (ei_decode_long(result.buff, &index, &value) < 0 || value != 42) return 5;
        result.index = 0;
      }
      printf("%ld\n", value);
      return 0;
    }`
  const program = await compiled('client', source)
  expect(await run(program, [node.name, cookie], { env })).toEqual({
    code: 0,
    signal: null,
    stdout: '42\n',
    stderr: '',
  })
})

test.each([false, true])(
  'a C node has global names through us (hidden: %s), until it takes them back or is gone',
  async (hidden) => {
    const source = String.raw`
    #include <stdio.h>
    #include <string.h>
    #include "ei.h"
    int main(int argc, char **argv) {
      ei_cnode ec; erlang_pid pid; char host[MAXNODELEN + 1]; char **names; int fd, count = 0;
      ei_init();
      if (ei_connect_init(&ec, "c_global", argv[2], 0) < 0) return 2;
      if ((fd = ei_connect(&ec, argv[1])) < 0) return 3;
      if (ei_global_register(fd, "c_one", ei_self(&ec)) != 0) return 4;
      if (ei_global_register(fd, "c_two", ei_self(&ec)) != 0) return 5;
      if (ei_global_register(fd, "c_two", ei_self(&ec)) == 0) return 6;
      if (ei_global_whereis(&ec, fd, "c_one", &pid, host) != 0 || strcmp(host, ei_thisnodename(&ec)) != 0) return 7;
      if ((names = ei_global_names(&ec, fd, &count)) == NULL || count != 2) return 8;
      if (ei_global_unregister(&ec, fd, "c_one") != 0) return 9;
      if (ei_global_whereis(&ec, fd, "c_one", &pid, host) == 0) return 10;
      printf("%s\n", ei_thisnodename(&ec));
      fflush(stdout);
      return getchar() == '\n' ? 0 : 11;
    }`
    const program = await compiled('global', source)
    const visible = await startNode({ hidden })
    const client = await start(program, [visible.name, cookie], { env, interactive: true })
    const name = (await client.waitForLine(/c_global@.+/))[0]
    expect(visible.global.registered()).toEqual([atom('c_two')])
    expect(visible.global.whereis('c_two')?.node).toBe(atom(name))
    client.write('\n')
    expect(await client.exit).toMatchObject({ code: 0 })
    await until(() => visible.global.whereis('c_two') === undefined)
  },
)

test('a Java node of JInterface: sendRPC', async () => {
  await installPeer('java')
  const jar = '/usr/share/java/OtpErlang.jar'
  const source = String.raw`
    import com.ericsson.otp.erlang.*;
    public class Client {
      public static void main(String[] args) throws Exception {
        OtpSelf self = new OtpSelf("java_client@127.0.0.1", args[1]);
        OtpConnection connection = self.connect(new OtpPeer(args[0]));
        OtpErlangObject[] two = { new OtpErlangLong(40), new OtpErlangLong(2) };
        connection.sendRPC("math", "add", two);
        System.out.println(connection.receiveRPC());
        connection.sendRPC("math", "missing", new OtpErlangObject[0]);
        System.out.println(connection.receiveRPC());
        System.exit(0);
      }
    }`
  await writeFile(join(directory, 'Client.java'), source)
  execFileSync('javac', ['-cp', jar, '-d', directory, join(directory, 'Client.java')])
  const result = await run('java', ['-cp', `${jar}:${directory}`, 'Client', node.name, cookie], { env })
  expect(result.stderr).toBe('')
  expect(result.stdout).toBe("42\n{badrpc,{'EXIT',{undef,[{math,missing,[],[]}]}}}\n")
}, 300_000)

test('OTP 23: rpc, block_call, erpc, and calls of it by us', async () => {
  const beam = await startBeam({ otp: 23, args: ['-kernel', 'logger_level', 'none'] })
  const ask = (expression: string) => beam.evalText(`(fun(N) -> ${expression} end)('${node.name}')`)
  expect(await ask('rpc:call(N, math, add, [1, 2])')).toBe('3')
  expect(await ask('rpc:call(N, math, later, [2])')).toBe('4')
  expect(await ask('rpc:call(N, math, missing, [])')).toBe("{badrpc,{'EXIT',{undef,[{math,missing,[],[]}]}}}")
  expect(await ask('rpc:block_call(N, math, add, [1, 2])')).toBe('3')
  expect(await ask('rpc:multicall([N], math, add, [1, 2])')).toBe('{[3],[]}')
  expect(await ask('erpc:call(N, math, add, [1, 2])')).toBe('3')
  expect(await ask('rpc:call(N, math, fail, [])')).toMatch(/js_error,<<"RangeError">>,<<"too far">>/)
  expect(await node.rpc.call(beam.name, 'erlang', 'node')).toBe(atom(beam.name))
  expect(await node.erpc.call(beam.name, 'lists', 'sum', [[1, 2]])).toBe(3)
  expect(await node.rpc.blockCall(beam.name, 'lists', 'sum', [[1, 2]])).toBe(3)
})
