/**
 * The built page, read once and served from memory: a request's path is only looked up, so none leads anywhere else.
 * `name.br` and `name.gz` beside a file are its compressed forms.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { BeampeerError } from '../errors.js'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}
const ENCODINGS = { br: '.br', gzip: '.gz' } as const

/** A file's name has a hash of what is in it. */
const HASHED = /^\/assets\//

interface File {
  readonly body: Buffer
  readonly etag: string
  readonly type: string
  readonly br?: Buffer
  readonly gzip?: Buffer
}

export interface FileAnswer {
  readonly status: 200 | 304 | 404
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export class StaticFiles {
  readonly #files: ReadonlyMap<string, File>

  /** @throws BeampeerError `DASHBOARD_NO_PAGE` */
  static async read(directory: string): Promise<StaticFiles> {
    const contents = new Map<string, Buffer>()
    try {
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue
        const file = join(entry.parentPath, entry.name)
        contents.set(`/${file.slice(join(directory, sep).length).split(sep).join('/')}`, await readFile(file))
      }
    } catch (cause) {
      throw new BeampeerError('DASHBOARD_NO_PAGE', `the dashboard's page cannot be read from ${directory}`, {
        cause,
      })
    }
    if (!contents.has('/index.html'))
      throw new BeampeerError('DASHBOARD_NO_PAGE', `there is no index.html in ${directory}`)
    return new StaticFiles(contents)
  }

  private constructor(contents: ReadonlyMap<string, Buffer>) {
    const files = new Map<string, File>()
    for (const [path, body] of contents) {
      const type = TYPES[extname(path)]
      if (type === undefined) continue
      const br = contents.get(path + ENCODINGS.br)
      const gzip = contents.get(path + ENCODINGS.gzip)
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      files.set(path, { body, type, etag, ...(br && { br }), ...(gzip && { gzip }) })
    }
    this.#files = files
  }

  /**
   * What answers a path: a file, or index.html for the page's own addresses, which have no dot in their last part.
   * @param accepted the header `Accept-Encoding`; @param ifNoneMatch the header of that name
   */
  find(path: string, accepted: string | undefined, ifNoneMatch: string | undefined): FileAnswer {
    const file = this.#files.get(path) ?? (/\.[^/]*$/.test(path) ? undefined : this.#files.get('/index.html'))
    if (file === undefined)
      return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('not found\n') }
    const encoding = (['br', 'gzip'] as const).find(
      (name) => file[name] !== undefined && accepts(accepted, name),
    )
    const body = encoding === undefined ? file.body : (file[encoding] as Buffer)
    const headers = {
      'Content-Type': file.type,
      'Cache-Control': HASHED.test(path) ? 'private, max-age=31536000, immutable' : 'no-cache',
      ETag: file.etag,
      Vary: 'Accept-Encoding',
      ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
    }
    if (ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === file.etag) === true)
      return { status: 304, headers, body: Buffer.alloc(0) }
    return { status: 200, headers, body }
  }
}

function accepts(header: string | undefined, encoding: string): boolean {
  return (header ?? '').split(',').some((part) => {
    const [name, quality] = part.trim().split(/\s*;\s*q=/)
    return name === encoding && Number(quality ?? 1) > 0
  })
}
