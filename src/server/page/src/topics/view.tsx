// Topics that queries read and write: what comes, how it lies over partitions, and the records themselves.

import { sources, type Source } from '../catalogue.js'
import { now, sum, useFigures, type Figures, type TopicFigures } from '../figures.js'
import { Facts } from '../parts/facts'
import { useLoaded } from '../parts/load.js'
import { Name } from '../parts/name.js'
import { Empty, Notice } from '../parts/notice.js'
import { changed, go, route } from '../route.js'
import { bytes, count, rate } from '../sql.js'
import { useStore } from '../store.js'
import { word, WORDS, type Word } from './balance.js'
import { Distribution } from './distribution.js'
import { Newest } from './newest.js'

export function Topics() {
  const { parameters } = useStore(route)
  const { value: figures, error } = useFigures()
  const { value: defined } = useLoaded(sources, [])
  if (error) return <Notice kind="error">The figures of topics are not given: {error.message}</Notice>
  if (!figures) return <p class="muted" role="status">Asking the server for its topics…</p>
  const search = parameters.get('search') ?? ''
  const found = figures.topics.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()))
  const name = parameters.get('topic') ?? found[0]?.name
  const chosen = figures.topics.find((topic) => topic.name === name)
  return (
    <>
      <header class="view-head">
        <h1>Topics</h1>
        <label class="search">
          <span class="hidden">Search topics</span>
          <input
            type="search"
            placeholder="Search name"
            value={search}
            onInput={(event) => go(changed({ search: event.currentTarget.value || undefined }), false)}
          />
        </label>
        <span class="muted">
          {count(found.length)} {found.length === 1 ? 'topic' : 'topics'} that queries and sources here name
        </span>
      </header>
      {figures.topics.length === 0 && name === undefined ? (
        <Empty title="No topic is read or written yet">
          <p>
            Topics come up once <code>CREATE STREAM</code> or <code>CREATE TABLE</code> names them.
          </p>
        </Empty>
      ) : (
        <div class="two">
          <List all={found} chosen={chosen} />
          {chosen ? <One key={chosen.name} topic={chosen} figures={figures} defined={defined} /> : <Missing name={name} />}
        </div>
      )}
    </>
  )
}

/** What stands in the address and not among the figures. */
function Missing({ name }: { name: string | undefined }) {
  return (
    <Empty title={name === undefined ? 'No topic is called so' : `Nothing is known of a topic ${name}`}>
      <p>No source of this server names it, or it is gone from Kafka, or Kafka was not heard yet. It is looked for every two seconds.</p>
    </Empty>
  )
}

function List({ all, chosen }: { all: TopicFigures[]; chosen: TopicFigures | undefined }) {
  return (
    <nav class="list topics" aria-label="Topics">
      <ul>
        {all.map((topic) => {
          const counts = topic.partitions.map(({ records }) => records)
          return (
            <li key={topic.name}>
              <a href={changed({ topic: topic.name })} aria-current={topic === chosen ? 'true' : undefined}>
                <Name text={topic.name} />
                <Balance is={word(topic.variation, counts)} />
                <small>
                  {rate(rateOf(topic))}/s, {recordsOf(topic)} records{topic.counted === 'records' && `, ${bytes(bytesOf(topic))}`}
                </small>
              </a>
            </li>
          )
        })}
      </ul>
    </nav>
  )
}

/** What comes to a topic a second; not known where that of a partition is not. */
export function rateOf({ partitions }: TopicFigures): number | null {
  const rates = partitions.map(({ over_time }) => now(over_time.records_per_second))
  return rates.some((one) => one === null) ? null : sum(rates)
}

/** How many records came; where the ends of partitions alone are known, there are no more. */
export function recordsOf(topic: TopicFigures): string {
  const all = topic.partitions.reduce((total, { records }) => total + records, 0)
  return topic.counted === 'records' ? count(all) : `≤ ${count(all)}`
}

export function bytesOf({ partitions }: TopicFigures): number | null {
  return partitions.some((one) => one.bytes === null) ? null : sum(partitions.map((one) => one.bytes))
}

const PILLS: Record<Word, string> = { even: 'here', uneven: 'paused', hot: 'away', few: '', single: '', unknown: '' }

export function Balance({ is }: { is: Word }) {
  return <span class={`pill ${PILLS[is]}`}>{WORDS[is]}</span>
}

interface OneProps {
  topic: TopicFigures
  figures: Figures
  defined: Source[] | undefined
}

function One({ topic, figures, defined }: OneProps) {
  const counts = topic.partitions.map(({ records }) => records)
  const facts: [string, string][] = [
    ['Records a second', rate(rateOf(topic))],
    ['Records', recordsOf(topic)],
    ['Bytes', bytes(bytesOf(topic))],
    ['Partitions', count(topic.partitions.length)],
  ]
  return (
    <article class="one">
      <header>
        <h2>{topic.name}</h2>
        <Balance is={word(topic.variation, counts)} />
      </header>
      <Facts all={facts} />
      <p class="muted">
        {topic.counted === 'records'
          ? 'Counted are the records that queries here read since the server started, each once, and the bytes of their batches.'
          : 'At most so many: no query here reads this topic, so it is counted how far its ends moved since the server first ' +
            'looked. Marks of transactions, and records that compaction took away since, are among them. Bytes are not known.'}
      </p>
      <Distribution topic={topic} />
      <Readers topic={topic} figures={figures} />
      <Newest
        topic={topic.name}
        streams={defined?.filter((source) => source.topic === topic.name && source.type === 'STREAM')}
        isRead={figures.queries.some(({ partitions }) => partitions.some((partition) => partition.topic === topic.name))}
      />
    </article>
  )
}

/** Who reads it here, and how far behind each is. */
function Readers({ topic, figures }: { topic: TopicFigures; figures: Figures }) {
  const readers = figures.queries.flatMap(({ id, state, partitions }) => {
    const own = partitions.filter((partition) => partition.topic === topic.name)
    return own.length === 0 ? [] : [{ id, state, own }]
  })
  if (readers.length === 0) return null
  return (
    <section class="panel">
      <h3>Lag by query</h3>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Lag by query">
        <table class="plain lags">
          <thead>
            <tr>
              <th scope="col">Query</th>
              <th scope="col">State</th>
              <th scope="col">Read</th>
              <th scope="col">Lag</th>
              <th scope="col">Most in partition</th>
            </tr>
          </thead>
          <tbody>
            {readers.map(({ id, state, own }) => {
              const lags = own.map(({ lag }) => lag)
              const lag = lags.some((one) => one === null) ? null : sum(lags)
              const most = [...own].sort((a, b) => (b.lag ?? 0) - (a.lag ?? 0))[0]!
              return (
                <tr key={id}>
                  <th scope="row">
                    <a href={`#/queries?query=${encodeURIComponent(id)}`}>{id}</a>
                  </th>
                  <td>{state}</td>
                  <td>{count(own.reduce((all, { records }) => all + records, 0))}</td>
                  <td>{lag === null ? '–' : count(lag)}</td>
                  <td>{lag ? `${most.partition} (${count(most.lag ?? 0)})` : '–'}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}
