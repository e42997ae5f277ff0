/** The cookies of this node: one for all, and others for single peers (`erlang:set_cookie/2`), in and out. */
export interface PeerCookies {
  /** What this node shows the peer. */
  outCookie: string
  /** What this node expects of the peer. */
  inCookie: string
}

export class CookieJar {
  #own: string
  readonly #peers = new Map<string, PeerCookies>()

  constructor(own: string) {
    this.#own = own
  }

  /** `erlang:set_cookie/1`. Applies to connections made from now on. */
  set(cookie: string): void {
    this.#own = cookie
  }

  get(): string {
    return this.#own
  }

  /** `erlang:set_cookie/2`; `inCookie` differs only if it is given. */
  setFor(node: string, outCookie: string, inCookie: string = outCookie): void {
    this.#peers.set(node, { outCookie, inCookie })
  }

  for(node: string): PeerCookies {
    return this.#peers.get(node) ?? { outCookie: this.#own, inCookie: this.#own }
  }
}
