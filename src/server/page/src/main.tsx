// The page of a Millstream server. What it shows, it asks for by the server's REST API, as any client could.

import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import 'uplot/dist/uPlot.min.css'
import icon from './icon.svg'
import './style.css'
import { Devices } from './devices/view.js'
import { Docs } from './docs/view.js'
import { Editor } from './editor/view.js'
import { dismissGap, health, watchHealth } from './health.js'
import { Empty, Notice } from './parts/notice.js'
import { ThemeSwitch } from './parts/theme.js'
import { Log } from './log/view.js'
import { Queries } from './queries/view.js'
import { href, route } from './route.js'
import { ORIGINS_SETTING } from './server.js'
import { clock } from './sql.js'
import { Sources } from './sources/view.js'
import { useStore } from './store.js'
import { Topics } from './topics/view.js'

const VIEWS = [
  { id: 'devices', label: 'Devices', View: Devices },
  { id: 'sources', label: 'Sources', View: Sources },
  { id: 'topics', label: 'Topics', View: Topics },
  { id: 'queries', label: 'Queries', View: Queries },
  { id: 'log', label: 'Log', View: Log },
  { id: 'editor', label: 'Editor', View: Editor },
  { id: 'docs', label: 'Docs', View: Docs },
]

function Page() {
  const { view } = useStore(route)
  const now = useStore(health)
  const found = VIEWS.find(({ id }) => id === view)
  useEffect(() => {
    document.title = `${found?.label ?? 'Not found'} · Millstream`
    // Where there is no room for all of them.
    document.querySelector('nav [aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [found])
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the view
      </a>
      <header class="top">
        <a class="brand" href="#/devices">
          <img src={icon} alt="" width="22" height="22" />
          <span>Millstream</span>
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ id, label }) => (
            <a key={id} href={href(id)} aria-current={id === view ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <span class={`pill ${now.state}`} role="status">
          <span>{now.state === 'here' ? 'Live' : now.state === 'away' ? 'Away' : now.state === 'refused' ? 'Refused' : 'Asking'}</span>
          {now.state === 'here' && <small title="ksql.service.id">{now.service}</small>}
        </span>
        <ThemeSwitch />
      </header>
      <Server />
      <main id="main" tabIndex={-1}>
        {found ? <found.View key={found.id} /> : <Empty isWhole title={`There is no view ${view}`} />}
      </main>
    </>
  )
}

/** The address behind the `#` is that of a view; so what is skipped to is gone to by hand. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Server() {
  const now = useStore(health)
  if (now.state === 'away') {
    return (
      <Notice kind="error">
        The server is away since {clock(now.since)}: {now.why}. What is shown is from before; it is asked every second.
      </Notice>
    )
  }
  if (now.state === 'refused') {
    return (
      <Notice kind="error">
        The server refuses what this page asks: {now.why}
        {now.why.includes(ORIGINS_SETTING) && (
          <>
            . Start it with <code>{ORIGINS_SETTING}={location.origin}</code>.
          </>
        )}
      </Notice>
    )
  }
  if (now.state === 'here' && now.gap) {
    return (
      <Notice kind="warning" onDismiss={dismissGap}>
        The server was away from {clock(now.gap.from)} to {clock(now.gap.to)}. What happened then may be missing from what counts
        from now on.
      </Notice>
    )
  }
  return null
}

watchHealth()
render(<Page />, document.getElementById('page')!)
