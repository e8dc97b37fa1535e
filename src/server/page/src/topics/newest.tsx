// The records of a topic as they come, and the keys that come most often among them.

import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Source } from '../catalogue.js'
import { health } from '../health.js'
import { Grid } from '../parts/grid.js'
import { Missed } from '../parts/missed.js'
import { Notice } from '../parts/notice.js'
import { changed, go, route } from '../route.js'
import type { Column } from '../server.js'
import { clock, count, percent } from '../sql.js'
import { useStore, useVersion } from '../store.js'
import { Seek } from './seek.js'
import { KEPT_MAX, Tail, type From, type Seen } from './tail.js'

/** How many keys are shown. */
const KEYS_SHOWN = 8

interface NewestProps {
  topic: string
  /** Streams over it; not known yet at first. */
  streams: Source[] | undefined
  /** Whether a persistent query reads it, so that its records are counted anyway. */
  isRead: boolean
}

/** In which manner it is read: as the address says, else as it is. What a push query over a stream reads is among the figures. */
export function Newest({ topic, streams, isRead }: NewestProps) {
  const { parameters } = useStore(route)
  const asked = parameters.get('as')
  const where = parameters.get('where') ?? undefined
  // An expression is about the columns of a stream.
  const stream = streams?.find(({ name }) => name === asked) ?? (where === undefined ? undefined : streams?.[0])
  const from: From = /^(earliest|(offset|time):\d+)$/.exec(parameters.get('from') ?? '')?.[0] ?? 'latest'
  const [tail, setTail] = useState<Tail>()
  const isKnown = streams !== undefined
  useEffect(() => {
    if (!isKnown) return
    const made = new Tail({ topic, from, stream, where })
    setTail(made)
    return () => made.live.stop()
  }, [topic, from, stream?.name, where, isKnown])
  return (
    <section class="panel newest-records">
      <div class="result-head">
        <h3>Newest records</h3>
        <Seek key={topic} from={from} onSeek={(value) => set('from', value, 'latest')} />
        <label>
          <span class="hidden">Records are read</span>
          <select value={stream?.name ?? ''} onChange={(event) => go(changed({ as: event.currentTarget.value || undefined, where: undefined }), false)}>
            <option value="">as they are</option>
            {streams?.map(({ name }) => (
              <option key={name} value={name}>{`as rows of ${name}`}</option>
            ))}
          </select>
        </label>
      </div>
      <Where where={where} stream={stream ?? streams?.[0]} />
      {stream && !isRead && (
        <p class="muted">While they are read so, the figures above count what is read here, also as what comes a second.</p>
      )}
      {tail && <Held tail={tail} topic={topic} stream={stream} />}
    </section>
  )
}

function set(name: string, value: string, usual: string): void {
  go(changed({ [name]: value === usual ? undefined : value }), false)
}

/** An expression in SQL that chooses records, where a stream gives their columns names. */
function Where({ where, stream }: { where: string | undefined; stream: Source | undefined }) {
  if (!stream) {
    return <p class="muted">No stream covers this topic: once CREATE STREAM names its columns, records can be chosen by an expression.</p>
  }
  return (
    <form
      class="result-head"
      onSubmit={(event) => {
        event.preventDefault()
        const text = new FormData(event.currentTarget).get('where') as string
        go(changed({ as: stream.name, where: text.trim() || undefined }), false)
      }}
    >
      <label class="search where">
        <span>WHERE</span>
        <input name="where" key={where} defaultValue={where} placeholder={`An expression over ${stream.name}, such as ${example(stream)}`} spellcheck={false} />
      </label>
      <button type="submit">Choose</button>
    </form>
  )
}

function example({ fields }: Source): string {
  const [first] = fields
  return first ? `${first.name} IS NOT NULL` : 'ROWPARTITION = 0'
}

function columnsOf(stream: Source | undefined, hasHeaders: boolean): Column[] {
  return [
    { name: 'Time', type: '', isKey: false },
    { name: 'Partition', type: 'INTEGER', isKey: false },
    { name: 'Offset', type: 'BIGINT', isKey: false },
    { name: 'Key', type: stream?.keyFormat ?? '', isKey: false },
    { name: 'Value', type: stream?.valueFormat ?? '', isKey: false },
    ...(hasHeaders ? [{ name: 'Headers', type: '', isKey: false }] : []),
  ]
}

const WIDTHS = {
  time: 'minmax(84px, 190px)',
  number: '86px',
  key: 'minmax(110px, 1fr)',
  value: 'minmax(260px, 4fr)',
  headers: 'minmax(120px, 1fr)',
}

function Held({ tail, topic, stream }: { tail: Tail; topic: string; stream: Source | undefined }) {
  const version = useVersion(tail)
  const state = useStore(tail.live.state)
  const isServerAway = useStore(health).state === 'away'
  const [held, setHeld] = useState<{ newest: Seen[]; total: number }>()
  const [filter, setFilter] = useState('')
  useEffect(() => setHeld(undefined), [tail])
  const { newest, total } = held ?? tail
  const found = useMemo(() => {
    const text = filter.toLowerCase()
    const all = ({ key, value, headers }: Seen) => `${key}\n${value}\n${headers}`.toLowerCase()
    return text === '' ? newest : newest.filter((record) => all(record).includes(text))
  }, [newest, filter, version])
  const columns = columnsOf(stream, tail.hasHeaders)
  const widths = [WIDTHS.time, WIDTHS.number, WIDTHS.number, WIDTHS.key, WIDTHS.value, ...(tail.hasHeaders ? [WIDTHS.headers] : [])]
  return (
    <>
      <div class="result-head">
        <label class="search">
          <span class="hidden">Filter records</span>
          <input type="search" placeholder="Filter by text" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
        <button type="button" aria-pressed={held !== undefined} onClick={() => setHeld(held ? undefined : { newest, total })}>
          {held ? `Go on, ${count(tail.total - total)} newer` : 'Pause'}
        </button>
        <span class="muted">
          {count(total)} came{filter && `, ${count(found.length)} of the newest ${count(newest.length)} have it`}
          {!filter && total > KEPT_MAX && `, the newest ${KEPT_MAX} are kept`}
        </span>
      </div>
      {(state.state === 'refused' || state.state === 'ended') && <Notice kind="error">They are not given: {state.why}</Notice>}
      {state.state === 'away' && !isServerAway && (
        <Notice kind="warning">
          Nothing comes since {clock(state.since)}: {state.why}. It is asked again.
        </Notice>
      )}
      {tail.from === 'latest' && <Missed live={tail.live} what="Records" />}
      <Grid
        label={`Records of ${topic}`}
        columns={columns}
        widths={widths}
        count={found.length}
        row={(at) => cellsOf(found[at])}
        rowKey={(at) => found[at]?.id ?? at}
      />
      <p class="muted">
        {total === 0 && 'Those are shown that come from now on. '}
        {stream
          ? `What cannot be read as a row of ${stream.name} is left out, and headers are not told; both are seen of records as they are.`
          : 'What keys and values are written in is guessed from what was seen of them, schemas of a registry are known.'}
      </p>
      <HotKeys tail={tail} hasKeys={!stream || stream.fields.some(({ type }) => type === 'KEY')} />
    </>
  )
}

/** The cells of a record; text is in quotes, as it is where it comes as JSON. */
function cellsOf(record: Seen | undefined): string[] {
  if (!record) return []
  const { time, partition, offset, key, value, headers } = record
  return [JSON.stringify(clock(time)), String(partition), offset, ...[key, value, headers].map((text) => JSON.stringify(text))]
}

/** Which keys come most often: of what was seen here, which says nothing of the rest of the topic. */
function HotKeys({ tail: { keys }, hasKeys }: { tail: Tail; hasKeys: boolean }) {
  if (!hasKeys || keys.size === 0) return null
  return (
    <>
      <h3>
        Most frequent keys{' '}
        <span class="muted">
          in the last {count(keys.size)} records seen here, {count(keys.different)} different
        </span>
      </h3>
      <ol class="keys" aria-label="Most frequent keys">
        {keys.most(KEYS_SHOWN).map(({ key, count: times, partition }) => (
          <li key={key}>
            <b title={key}>{key === '' ? 'empty' : key}</b>
            <span class="share" aria-hidden="true">
              <i class="all" style={{ width: `${(100 * times) / keys.size}%` }} />
            </span>
            <span>
              <data value={times}>{count(times)}</data> <span class="muted">{percent(times / keys.size)}</span>
            </span>
            <small>{partition === undefined ? 'several partitions' : `partition ${partition}`}</small>
          </li>
        ))}
      </ol>
    </>
  )
}
