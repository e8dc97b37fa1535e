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

/**
 * In which manner it is read: as the address says, else as rows of a stream that has keys, with their offsets. Where nobody
 * else reads it, `PRINT` does, for what a push query reads is among the figures.
 */
export function Newest({ topic, streams, isRead }: NewestProps) {
  const { parameters } = useStore(route)
  const asked = parameters.get('as')
  const withKeys = isRead ? streams?.find(({ fields }) => fields.some(({ type }) => type === 'KEY')) : undefined
  const stream = asked === 'print' ? undefined : streams?.find(({ name }) => name === asked) ?? withKeys
  const usual = withKeys?.name ?? 'print'
  const from: From = parameters.get('from') === 'earliest' ? 'earliest' : 'latest'
  const [tail, setTail] = useState<Tail>()
  const isKnown = streams !== undefined
  useEffect(() => {
    if (!isKnown) return
    const made = new Tail(topic, from, stream)
    setTail(made)
    return () => made.live.stop()
  }, [topic, from, stream?.name, isKnown])
  return (
    <section class="panel newest-records">
      <div class="result-head">
        <h3>Newest records</h3>
        <label>
          <span class="hidden">Records begin</span>
          <select value={from} onChange={(event) => set('from', event.currentTarget.value, 'latest')}>
            <option value="latest">from now on</option>
            <option value="earliest">from the first record</option>
          </select>
        </label>
        <label>
          <span class="hidden">Records are read</span>
          <select value={stream?.name ?? 'print'} onChange={(event) => set('as', event.currentTarget.value, usual)}>
            <option value="print">as PRINT shows them</option>
            {streams?.map(({ name }) => (
              <option key={name} value={name}>{`as rows of ${name}`}</option>
            ))}
          </select>
        </label>
      </div>
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

function columnsOf(stream: Source | undefined): Column[] {
  return [
    { name: 'Time', type: '', isKey: false },
    { name: 'Partition', type: 'INTEGER', isKey: false },
    ...(stream ? [{ name: 'Offset', type: 'BIGINT', isKey: false }] : []),
    { name: 'Key', type: stream?.keyFormat ?? '', isKey: false },
    { name: 'Value', type: stream?.valueFormat ?? '', isKey: false },
  ]
}

const WIDTHS = { time: 'minmax(84px, 190px)', number: '86px', key: 'minmax(110px, 1fr)', value: 'minmax(260px, 4fr)' }

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
    return text === '' ? newest : newest.filter(({ key, value }) => `${key}\n${value}`.toLowerCase().includes(text))
  }, [newest, filter, version])
  const columns = columnsOf(stream)
  const widths = [WIDTHS.time, WIDTHS.number, ...(stream ? [WIDTHS.number] : []), WIDTHS.key, WIDTHS.value]
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
        row={(at) => cellsOf(found[at], stream !== undefined)}
        rowKey={(at) => found[at]?.id ?? at}
      />
      <p class="muted">
        {total === 0 && 'Those are shown that come from now on. '}
        {stream
          ? `What cannot be read as a row of ${stream.name} is left out; PRINT shows it.`
          : 'PRINT guesses what keys and values are, and tells no offsets: rows of a stream over the topic show both.'}
      </p>
      <HotKeys tail={tail} hasKeys={!stream || stream.fields.some(({ type }) => type === 'KEY')} />
    </>
  )
}

/** The cells of a record; text is in quotes, as it is where it comes as JSON. */
function cellsOf(record: Seen | undefined, hasOffset: boolean): string[] {
  if (!record) return []
  const { time, partition, offset, key, value } = record
  const place = [String(partition), ...(hasOffset ? [offset ?? 'null'] : [])]
  return [JSON.stringify(clock(time)), ...place, JSON.stringify(key), JSON.stringify(value)]
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
