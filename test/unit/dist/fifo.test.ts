import { Fifo } from '../../../src/dist/fifo.js'

it('gives back what was put in, in order, however it is used', () => {
  const fifo = new Fifo<number>()
  expect([fifo.length, fifo.peek(), fifo.shift()]).toEqual([0, undefined, undefined])
  let [put, got] = [0, 0]
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < (round * 37) % 100; i++) fifo.push(put++)
    for (let i = 0; i < (round * 53) % 90 && fifo.length > 0; i++) {
      expect(fifo.peek()).toBe(got)
      expect(fifo.shift()).toBe(got++)
    }
    expect(fifo.length).toBe(put - got)
  }
  while (fifo.length > 0) expect(fifo.shift()).toBe(got++)
  expect(got).toBe(put)
  fifo.push(1)
  fifo.clear()
  expect([fifo.length, fifo.shift()]).toEqual([0, undefined])
})
