// Statements are written and run here.

import { useEffect, useState } from 'preact/hooks'
import { useLoaded } from '../parts/load.js'
import { Store, useStore } from '../store.js'
import { known } from './complete.js'
import { forget, history, remember } from './history.js'
import { Results } from './results.js'
import { Run } from './run.js'
import { Text, type Mark } from './text.js'

/** What is written stays while other views are looked at. */
const written = new Store('SHOW STREAMS;')
const last = new Store<Run | undefined>(undefined)
const NONE: Mark[] = []

export function Editor() {
  const text = useStore(written)
  const run = useStore(last)
  const past = useStore(history)
  const [from, setFrom] = useState('latest')
  const { value: all, again } = useLoaded(known, [])
  const start = (first: number, end: number) => {
    run?.stop()
    remember(text.slice(first, end))
    last.set(new Run(text, first, end, from))
  }
  return (
    <>
      <header class="view-head">
        <h1>Editor</h1>
        <button type="button" class="main" onClick={() => start(0, text.length)} title="Ctrl-Enter">
          Run
        </button>
        <label>
          Queries begin{' '}
          <select value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
            <option value="latest">now</option>
            <option value="earliest">at the first record</option>
          </select>
        </label>
        <details class="picker">
          <summary>History</summary>
          <div class="sheet">
            {past.length === 0 && <p class="muted">Nothing was run in this browser yet.</p>}
            <ul class="past">
              {past.map((one) => (
                <li key={one}>
                  <button type="button" class="quiet" onClick={() => written.set(one)}>
                    <code>{one}</code>
                  </button>
                </li>
              ))}
            </ul>
            {past.length > 0 && (
              <button type="button" onClick={forget}>
                Forget all
              </button>
            )}
          </div>
        </details>
        <span class="muted wide-only">Ctrl-Enter runs all or what is selected; Ctrl-Space completes</span>
      </header>
      <Marked text={text} run={run} all={all} start={start} />
      {run && <Watch run={run} again={again} />}
    </>
  )
}

interface MarkedProps {
  text: string
  run: Run | undefined
  all: Parameters<typeof Text>[0]['known']
  start: (from: number, to: number) => void
}

function Marked({ text, run, all, start }: MarkedProps) {
  const [, setState] = useState(run?.state.value)
  useEffect(() => run?.state.follow(() => setState(run.state.value)), [run])
  const state = run?.state.value
  // A text that was changed since may be right where it was wrong.
  const marks = state?.is === 'failed' && run?.text === text ? state.fault.marks : NONE
  return <Text text={text} marks={marks} known={all} onText={(next) => written.set(next)} onRun={start} />
}

/** Results; what they may have defined is completed from then on. */
function Watch({ run, again }: { run: Run; again: () => void }) {
  const answers = useStore(run.answers)
  useEffect(() => {
    if (answers.length > 0) again()
  }, [answers, again])
  return <Results run={run} />
}
