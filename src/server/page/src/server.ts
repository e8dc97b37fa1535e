// What is asked of the server: statements, and rows as they come, by ksqlDB's REST API; and what it counts, by its own.

import { Store } from './store.js'

/** The setting that lets in pages of addresses that the server does not know for its own. */
export const ORIGINS_SETTING = 'access.control.allow.origin'

/** Why the server lets no page of this address in, if that is so. Browsers tell it the address with what they post. */
export const shutOut = new Store<string | undefined>(undefined)

/** What the server refused, in its words. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly diagnostic?: Diagnostic,
  ) {
    super(message)
  }
}

/** The server does not answer, or is not ready: to be asked again later. */
export class Away extends Error {}

/** Where a statement is wrong, as offsets of bytes in its text, why, and what helps. */
export interface Diagnostic {
  message: string
  labels: { start: number; end: number; label: string }[]
  help: string[] | string | null
  more?: Diagnostic[]
}

export type Properties = Record<string, string>

/** An answer to one of several statements. */
export interface Entity {
  '@type': string
  statementText: string
  warnings?: { message: string }[]
  [field: string]: unknown
}

const HEADERS = {
  'Content-Type': 'application/json',
  Accept: 'application/vnd.ksql.v1+json',
  'X-Millstream-Diagnostics': 'yes',
}

/** Sends a request; who answers something else than 200 has refused it, or is not ready. */
async function send(path: string, init?: RequestInit): Promise<Response> {
  let response
  try {
    response = await fetch(path, { cache: 'no-store', ...init })
  } catch (error) {
    if (init?.signal?.aborted) throw error
    throw new Away('the server does not answer')
  }
  if (response.ok) {
    if (init?.method === 'POST') shutOut.set(undefined)
    return response
  }
  const text = await response.text().catch(() => '')
  let said: { message?: string; diagnostic?: Diagnostic } = {}
  try {
    said = JSON.parse(text)
  } catch {
    // What stands between may have answered in its own way.
  }
  const message = said.message ?? `the server answers ${response.status} ${response.statusText}`
  if (response.status >= 502 && response.status <= 504) throw new Away(message)
  // Who may not do something is refused with the same status, and is let in.
  if (init?.method === 'POST') shutOut.set(response.status === 403 && message.includes(ORIGINS_SETTING) ? message : undefined)
  throw new Refusal(message, response.status, said.diagnostic)
}

/** Whether the server answers, and which service it is. */
export async function info(signal: AbortSignal): Promise<{ ksqlServiceId: string; kafkaClusterId: string }> {
  const response = await send('/info', { signal })
  return (await response.json()).KsqlServerInfo
}

/** What the server counts: `GET /v1/millstream/figures`. */
export async function counted<T>(parameters: Record<string, string>): Promise<T> {
  const response = await send(`/v1/millstream/figures?${new URLSearchParams(parameters)}`)
  return response.json()
}

/** What queries have skipped: `GET /v1/millstream/skipped`. */
export async function skipped<T>(parameters: Record<string, string>): Promise<T> {
  const response = await send(`/v1/millstream/skipped?${new URLSearchParams(parameters)}`)
  return response.json()
}

/** The language as it is here: `GET /v1/millstream/language`. */
export async function language<T>(): Promise<T> {
  return (await send('/v1/millstream/language')).json()
}

/** Runs statements, and gives an entity for each that has an answer. */
export async function statements(
  ksql: string,
  streamsProperties: Properties = {},
  sessionVariables: Properties = {},
): Promise<Entity[]> {
  const body = JSON.stringify({ ksql, streamsProperties, sessionVariables })
  const response = await send('/ksql', { method: 'POST', headers: HEADERS, body })
  return response.json()
}

/** A column of rows. */
export interface Column {
  name: string
  type: string
  isKey: boolean
}

/** Who takes rows. What `rows` takes are lines as they were sent, in their order. */
export interface Taker {
  begin(columns: Column[], queryId: string): void
  /** Each line is a JSON object: `{"row":{"columns":[…],"tombstone":true}}`. */
  rows(lines: string[]): void
}

/** How long rows are taken until the browser gets its turn. */
const SLICE_MS = 8

/**
 * Reads the rows of a query until it ends, and gives what the server says of that. A query whose rows are not taken waits:
 * nothing is left out.
 */
export async function query(
  sql: string,
  properties: Properties,
  taker: Taker,
  signal: AbortSignal,
  sessionVariables: Properties = {},
): Promise<string> {
  const body = JSON.stringify({ sql, properties, sessionVariables })
  const response = await send('/query-stream', { method: 'POST', headers: HEADERS, body, signal })
  const takes = /^\s*PRINT\b/i.test(sql) ? printed : take
  if (takes === printed) taker.begin([{ name: 'Record', type: 'STRING', isKey: false }], '')
  let end = 'Query Completed'
  await lines(response, signal, (some) => {
    end = takes(some, taker) ?? end
  })
  return end
}

/** What stands in a line of an answer of records beside these. */
const RECORD_ERROR = '{"error"'

/**
 * Reads the records of a topic until nobody takes them: `GET /v1/millstream/records`. Each line that is taken is a JSON object.
 */
export async function records(query: string, _: Properties, taker: Taker, signal: AbortSignal): Promise<string> {
  const response = await send(`/v1/millstream/records?${query}`, { signal })
  taker.begin([], '')
  await lines(response, signal, (some) => {
    const found = some.filter((line) => line.startsWith('{'))
    const failed = found.find((line) => line.startsWith(RECORD_ERROR))
    if (failed !== undefined) throw new Refusal(JSON.parse(failed).error, 500)
    if (found.length > 0) taker.rows(found)
  })
  return 'Query Completed'
}

/** Reads an answer line by line to its end, and lets everything else have its turn now and then. */
async function lines(response: Response, signal: AbortSignal, takes: (lines: string[]) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  let began = performance.now()
  for (;;) {
    let next
    try {
      next = await reader.read()
    } catch (error) {
      if (signal.aborted) throw error
      throw new Away('the connection to the server is lost')
    }
    const some = (rest + (next.value ?? '')).split('\n')
    rest = next.done ? '' : some.pop()!
    takes(some)
    if (next.done) return
    if (performance.now() - began > SLICE_MS) {
      await turn()
      began = performance.now()
    }
  }
}

/** Lets everything else have its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => resolve()
    port2.postMessage(null)
  })
}

/** Takes records of a topic, which are lines of text, as rows of one column. */
function printed(lines: string[], taker: Taker): undefined {
  const records = lines.filter((line) => line !== '')
  if (records.length > 0) taker.rows(records.map((line) => JSON.stringify({ row: { columns: [line] } })))
}

/** Takes lines of an answer; gives what is said of its end, if that is there. */
function take(lines: string[], taker: Taker): string | undefined {
  const rows: string[] = []
  let end
  for (const line of lines) {
    // The lines are the elements of an array, with its brackets and commas around them.
    let from = 0
    let to = line.length
    while (from < to && '[,'.includes(line[from]!)) from += 1
    while (from < to && ',]'.includes(line[to - 1]!)) to -= 1
    if (from === to) continue
    const text = line.slice(from, to)
    if (text.startsWith('{"row"')) {
      rows.push(text)
      continue
    }
    const said = JSON.parse(text)
    if (said.header) taker.begin(columns(said.header.schema), said.header.queryId)
    else if (said.finalMessage !== undefined) end = said.finalMessage as string
    else if (said.errorMessage) {
      if (rows.length > 0) taker.rows(rows)
      throw new Refusal(said.errorMessage.message, 500)
    }
  }
  if (rows.length > 0) taker.rows(rows)
  return end
}

/** How many of a browser's six connections to a server its tabs hold for rows: others want some too. */
const HELD_MAX = 3

/** Holds one of these connections, and gives what lets it go; nothing where all are held. */
async function held(): Promise<(() => void) | undefined> {
  // Browsers have locks among tabs for pages of this machine, or with TLS.
  if (!('locks' in navigator)) return () => undefined
  for (let at = 0; at < HELD_MAX; at++) {
    const release = await new Promise<(() => void) | undefined>((resolve) => {
      void navigator.locks.request(`rows ${at}`, { ifAvailable: true }, (lock) =>
        lock ? new Promise<void>((done) => resolve(done)) : resolve(undefined),
      )
    })
    if (release) return release
  }
  return undefined
}

/** Reads the rows of a query by a request, or over a web socket where other tabs hold as many connections as they may. */
export async function rows(sql: string, properties: Properties, taker: Taker, signal: AbortSignal): Promise<string> {
  const release = await held()
  if (!release) return listen(sql, properties, taker, signal)
  try {
    return await query(sql, properties, taker, signal)
  } finally {
    release()
  }
}

/** How long rows of a web socket are gathered, each of which is a message of its own. */
const GATHER_MS = 10

/**
 * The same over a web socket, for rows that are few: a browser keeps no more than six other connections to a server, and
 * several tabs share them. Where there are no web sockets, it is asked as others are.
 */
export function listen(ksql: string, properties: Properties, taker: Taker, signal: AbortSignal): Promise<string> {
  const request = JSON.stringify({ ksql, streamsProperties: properties })
  const url = new URL('/ws/query', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('request', request)
  const socket = new WebSocket(url)
  let waiting: string[] = []
  let isOpen = false
  let hasBegun = false
  let said: string | undefined
  return new Promise((resolve, reject) => {
    const give = () => {
      const rows = waiting
      waiting = []
      if (rows.length > 0) taker.rows(rows)
    }
    const stop = () => {
      socket.onclose = socket.onmessage = null
      socket.close()
      reject(signal.reason)
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    socket.onopen = () => {
      isOpen = true
    }
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      if (!hasBegun && data.startsWith('[')) {
        hasBegun = true
        const columns = (JSON.parse(data) as { name: string; schema: { type: string }; type?: string }[]).map(
          ({ name, schema, type }) => ({ name, type: schema.type, isKey: type === 'KEY' }),
        )
        taker.begin(columns, '')
      } else if (data.startsWith('{"row"')) {
        if (waiting.push(data) === 1) setTimeout(give, GATHER_MS)
      } else {
        said = JSON.parse(data).error
      }
    }
    socket.onclose = ({ code }) => {
      signal.removeEventListener('abort', stop)
      give()
      // What stands between may know no web sockets, and why there is none is told to requests alone.
      if (!isOpen) resolve(query(ksql, properties, taker, signal))
      else if (code === 1000) resolve(said ?? 'Query Completed')
      else if (said !== undefined) reject(new Refusal(said, 400))
      else reject(new Away('the connection to the server is lost'))
    }
  })
}

/** The columns of a schema in text: names in back-quotes, types that may have columns of their own. */
export function columns(schema: string): Column[] {
  const found: Column[] = []
  let depth = 0
  let quoted = false
  let start = 0
  const add = (text: string) => {
    const [, name, rest] = /^\s*`((?:[^`]|``)*)`\s+(.*)$/s.exec(text) ?? []
    if (name === undefined || rest === undefined) return
    const isKey = rest.endsWith(' KEY')
    found.push({ name: name.replaceAll('``', '`'), type: isKey ? rest.slice(0, -4) : rest, isKey })
  }
  for (let at = 0; at < schema.length; at++) {
    const char = schema[at]
    if (char === '`') quoted = !quoted
    else if (quoted) continue
    else if (char === '<' || char === '(') depth += 1
    else if (char === '>' || char === ')') depth -= 1
    else if (char === ',' && depth === 0) {
      add(schema.slice(start, at))
      start = at + 1
    }
  }
  add(schema.slice(start))
  return found
}
