import { message, pair, texts } from './support.js'

describe('what is sent in a turn of the event loop', () => {
  test.each([
    [7, 1],
    [8, 2],
  ])('after %d frames came since the last write, leaves at the end of turn %d', async (frames, turns) => {
    const { loop, a, b } = pair()
    await loop.settle()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < frames; i++) a.link.send(message(`${i}`))
      await loop.settle()
      const defer = jest.spyOn(loop, 'defer')
      b.link.send(message('answer'))
      b.link.send(message('another'))
      await loop.settle()
      expect(defer).toHaveBeenCalledTimes(turns)
      defer.mockRestore()
    }
    expect(texts(a)).toEqual(['answer', 'another', 'answer', 'another'])
    // Nothing has come since: as always.
    const defer = jest.spyOn(loop, 'defer')
    b.link.send(message('last'))
    await loop.settle()
    expect(defer).toHaveBeenCalledTimes(1)
  })

  test('leaves before the link is closed', async () => {
    const { loop, a, b } = pair()
    await loop.settle()
    for (let i = 0; i < 8; i++) a.link.send(message(`${i}`))
    await loop.settle()
    b.link.send(message('answer'))
    b.link.close('disconnect')
    await loop.settle()
    expect(texts(a)).toEqual(['answer'])
    expect(b.events.at(-1)).toBe('down disconnect')
  })
})
