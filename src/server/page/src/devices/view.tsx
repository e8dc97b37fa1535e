// The devices of a stream: what each does now, the figures of its last readings, and what happens to them.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { sources } from '../catalogue.js'
import { health } from '../health.js'
import { useLoaded } from '../parts/load.js'
import { Missed } from '../parts/missed.js'
import { Empty, Notice } from '../parts/notice.js'
import { changed, go, route } from '../route.js'
import { clock, count, span } from '../sql.js'
import { useStore, useVersion } from '../store.js'
import { axes, choose, type Choice } from './choice.js'
import { Detail } from './detail.js'
import { Happenings } from './happenings.js'
import { DEVICES_MAX, type Device } from './model.js'
import { arranged, orders } from './order.js'
import { beginText, Picker } from './picker.js'
import { Summary } from './summary.js'
import { Table } from './table.js'
import { key, Watch } from './watch.js'

export function Devices() {
  const { parameters } = useStore(route)
  const { value: all, error, again } = useLoaded(sources, [])
  const choice = useMemo(() => all && choose(all, parameters), [all, parameters])
  if (error) return <Notice kind="error">The streams cannot be listed: {error.message}</Notice>
  if (!all) return <p class="muted" role="status">Asking the server for its streams…</p>
  if (!choice) return <NoStream asked={parameters.get('stream')} again={again} />
  return (
    <>
      <header class="view-head">
        <h1>Devices</h1>
        <Picker choice={choice} all={all} />
      </header>
      {choice.columns.device && axes(choice).length > 0 ? (
        <Watched choice={choice} />
      ) : (
        <Empty title="Which columns have the readings?">
          <p>
            <code>{choice.stream.name}</code> has no columns whose names say so. Choose that of the device, and one to three of
            numbers, under “Stream and columns”.
          </p>
        </Empty>
      )}
    </>
  )
}

/** How often it is looked whether there is a stream by now. */
const LOOK_MS = 3_000

function NoStream({ asked, again }: { asked: string | null; again: () => void }) {
  useEffect(() => {
    const timer = setInterval(again, LOOK_MS)
    return () => clearInterval(timer)
  }, [again])
  return (
    <Empty isWhole title={asked === null ? 'No stream of readings yet' : `There is no stream ${asked}`}>
      <p>
        This view shows the devices of a stream that has a column for the device, and some for what it measures. Define one with
        <code>CREATE STREAM</code>, for instance that of <code>ksql/device.sql</code>; <code>millstream produce json</code> writes
        readings into its topic.
      </p>
      {asked !== null && <a href="#/devices">Show what there is</a>}
    </Empty>
  )
}

/** A watch over a choice: it is stopped when another is made. */
function useWatch(choice: Choice): Watch | undefined {
  const [watch, setWatch] = useState<Watch>()
  const wanted = key(choice)
  useEffect(() => {
    const made = new Watch(choice)
    setWatch(made)
    return () => {
      made.stop()
      setWatch(undefined)
    }
  }, [wanted])
  return watch
}

function Watched({ choice }: { choice: Choice }) {
  const watch = useWatch(choice)
  return watch ? <Board watch={watch} /> : null
}

/** How long devices stand where they do, while what they are ordered by changes. */
const STAY_MS = 2_000

function Board({ watch }: { watch: Watch }) {
  const { model, choice } = watch
  const { parameters } = useStore(route)
  const version = useVersion(watch)
  const names = axes(choice).map(({ name }) => name)
  const all = orders(names)
  const order = all.find(({ id }) => id === parameters.get('sort')) ?? all[0]!
  const isDescending = parameters.has('dir') ? parameters.get('dir') === 'desc' : order.isDescending
  const search = parameters.get('search') ?? ''
  const activity = parameters.get('only') ?? undefined
  const devices = useArranged(watch, { order, isDescending, search, activity })
  const chosen = parameters.get('device') ?? undefined
  useEffect(() => model.follow(chosen), [model, chosen])
  const onOrder = (id: string) => {
    const next = all.find((other) => other.id === id)!
    const dir = id === order.id ? (isDescending ? 'asc' : 'desc') : undefined
    go(changed({ sort: next.id, dir }), false)
  }
  return (
    <>
      <Trouble watch={watch} />
      <Summary watch={watch} activity={activity} />
      <div class="board">
        <section class="main" aria-label="Devices and their figures">
          <div class="tools">
            <label class="search">
              <span class="hidden">Search devices</span>
              <input
                type="search"
                placeholder="Search device, model, activity"
                value={search}
                onInput={(event) => go(changed({ search: event.currentTarget.value || undefined }), false)}
              />
            </label>
            <label>
              Sort by{' '}
              <select value={order.id} onChange={(event) => onOrder(event.currentTarget.value)}>
                {all.map(({ id, label }) => (
                  <option key={id} value={id}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
            <button type="button" onClick={() => onOrder(order.id)} title="Turn the order around">
              <span aria-hidden="true">{isDescending ? '↓' : '↑'}</span>
              <span class="hidden">{isDescending ? 'Descending; turn around' : 'Ascending; turn around'}</span>
            </button>
            <span class="muted" role="status">
              {devices.list.length === model.devices.size
                ? `${count(model.devices.size)} devices`
                : `${count(devices.list.length)} of ${count(model.devices.size)} devices`}
            </span>
          </div>
          {model.devices.size === 0 ? (
            <Waiting watch={watch} />
          ) : (
            <Table
              devices={devices.list}
              axes={names}
              order={order}
              isDescending={isDescending}
              chosen={chosen}
              onOrder={onOrder}
              onHold={devices.hold}
            />
          )}
        </section>
        <aside aria-label="What happens">
          {chosen !== undefined && <Detail watch={watch} name={chosen} axes={names} version={version} />}
          <Happenings watch={watch} />
        </aside>
      </div>
    </>
  )
}

/** Devices in their order, which is made anew now and then, and not while somebody is about to use one of them. */
function useArranged(watch: Watch, wanted: Parameters<typeof arranged>[1]) {
  const { model } = watch
  const made = useRef<{ key: string; at: number; list: Device[] }>({ key: '', at: 0, list: [] })
  const isHeld = useRef(false)
  const { order, isDescending, search, activity } = wanted
  const of = [order.id, isDescending, search, activity, model.devices.size, model.axisCount].join('\n')
  const now = Date.now()
  const isLive = order.id !== 'device' || activity !== undefined || search !== ''
  const isOld = isLive && !isHeld.current && now - made.current.at >= STAY_MS
  const isGone = made.current.list.some((device) => model.devices.get(device.name) !== device)
  if (made.current.key !== of || isOld || isGone) {
    made.current = { key: of, at: now, list: arranged(model.devices.values(), wanted) }
  }
  const hold = (held: boolean) => {
    isHeld.current = held
  }
  return { list: made.current.list, hold }
}

function Waiting({ watch }: { watch: Watch }) {
  const { state } = useStore(watch.readings.state)
  return (
    <Empty title={state === 'open' ? 'Waiting for readings' : 'Asking for readings'}>
      <p>
        {watch.choice.begin === 'earliest'
          ? 'There is none in the topic yet.'
          : `Those are shown ${beginText(watch.choice.begin)}; “Stream and columns” has others.`}
      </p>
    </Empty>
  )
}

/** What keeps figures from being what they seem to be. */
function Trouble({ watch }: { watch: Watch }) {
  const { model } = watch
  const { begin } = watch.choice
  const readings = useStore(watch.readings.state)
  const isServerAway = useStore(health).state === 'away'
  return (
    <>
      {(readings.state === 'refused' || readings.state === 'ended') && (
        <Notice kind="error">
          The server does not give these readings: {readings.why} <Statement sql={watch.readings.sql} />
        </Notice>
      )}
      {readings.state === 'away' && !isServerAway && (
        <Notice kind="warning">
          No readings come since {clock(readings.since)}: {readings.why}. It is asked again; figures are those of before.
        </Notice>
      )}
      {watch.others.map(({ name, live }) => (
        <OtherTrouble key={name} name={name} live={live} />
      ))}
      <Behind watch={watch} />
      {begin === 'latest' && <Missed live={watch.readings} what="Readings" />}
      {typeof begin === 'number' && <Missed live={watch.readings} what="Readings" anew={`figures begin anew, ${beginText(begin)}`} />}
      {model.late > 0 && (
        <Notice kind="note">
          {count(model.late)} readings were older than one of their device before them. They are counted, and are not in the
          rolling figures.
        </Notice>
      )}
      {model.leftOut > 0 && (
        <Notice kind="warning">
          {count(model.leftOut)} readings are of further devices: no more than {count(DEVICES_MAX)} are shown.
        </Notice>
      )}
      {model.nameless > 0 && <Notice kind="note">{count(model.nameless)} readings name no device.</Notice>}
    </>
  )
}

function OtherTrouble({ name, live }: { name: string; live: Watch['readings'] }) {
  const state = useStore(live.state)
  const isServerAway = useStore(health).state === 'away'
  if (state.state === 'refused' || state.state === 'ended') {
    return (
      <Notice kind="error">
        The server does not give the {name}: {state.why} <Statement sql={live.sql} />
      </Notice>
    )
  }
  if (state.state !== 'away' || isServerAway) return null
  return (
    <Notice kind="warning">
      No {name} come since {clock(state.since)}: {state.why}. It is asked again.
    </Notice>
  )
}

/** From how much on readings count as of the past, while many of them come. */
const BEHIND_MS = 15_000

function Behind({ watch: { model, rate, choice, leastBehindMs } }: { watch: Watch }) {
  const behind = Date.now() - model.newest
  // Clocks differ, and readings may be replayed with times of long ago; but those that come as they are made do not fall behind.
  const isBehind = behind > BEHIND_MS && (choice.begin === 'earliest' || behind - leastBehindMs > BEHIND_MS)
  if (model.newest === 0 || !isBehind || !rate.isSteady) return null
  return (
    <Notice kind="note">
      The past is being read: the newest of these readings are of {clock(model.newest)}, {span(behind)} ago.
    </Notice>
  )
}

function Statement({ sql }: { sql: string }) {
  return (
    <details>
      <summary>The statement</summary>
      <pre>{sql}</pre>
    </details>
  )
}
