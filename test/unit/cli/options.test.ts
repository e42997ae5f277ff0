import { InvalidArgumentError } from 'commander'
import { address, listenPort, moduleSpec, port, seconds } from '../../../src/cli/options.js'

test.each([
  [port, '1', 1],
  [port, '65535', 65535],
  [listenPort, '0', 0],
  [seconds, '1', 1000],
  [seconds, '0.5', 500],
  [seconds, '2147483', 2_147_483_000],
  [moduleSpec, 'math=./math.js', { name: 'math', file: './math.js' }],
  [moduleSpec, 'm=a=b', { name: 'm', file: 'a=b' }],
  [address, '10.0.0.1, ::1', ['10.0.0.1', '::1']],
])('%p reads %p', (read, text, value) => {
  expect(read(text)).toEqual(value)
})

test('too many seconds: the maximum is named', () => {
  expect(() => seconds('99999999999')).toThrow('a positive number of seconds, at most 2147483')
})

test.each([
  [port, '0'],
  [port, '65536'],
  [port, '1.5'],
  [port, '0x10'],
  [port, ''],
  [listenPort, '-1'],
  [seconds, '0'],
  [seconds, '-1'],
  [seconds, '1e3'],
  [seconds, '2147484'],
  [seconds, ''],
  [moduleSpec, 'math'],
  [moduleSpec, '=file'],
  [moduleSpec, 'name='],
  [address, ''],
  [address, '10.0.0.1,,::1'],
])('%p refuses %p', (read, text) => {
  expect(() => read(text)).toThrow(InvalidArgumentError)
})
