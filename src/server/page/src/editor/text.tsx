// A text of SQL that is written: coloured, completed, and marked where it is wrong.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { candidates, wordAt, type Candidate, type Known } from './complete.js'
import { tokens } from './lex.js'

/** A place that is wrong, in characters. */
export interface Mark {
  from: number
  to: number
}

interface TextProps {
  text: string
  marks: Mark[]
  known: Known | undefined
  onText: (text: string) => void
  /** What Ctrl-Enter does, with the ends of what is selected, or of all of it. */
  onRun: (from: number, to: number) => void
}

interface Offer {
  all: Candidate[]
  chosen: number
  x: number
  y: number
}

export function Text({ text, marks, known, onText, onRun }: TextProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const mirror = useRef<HTMLPreElement>(null)
  const [offer, setOffer] = useState<Offer>()
  /** Where the caret goes once the text is drawn. */
  const caret = useRef<number>(undefined)
  const parts = useMemo(() => tokens(text), [text])
  useLayoutEffect(() => {
    if (caret.current === undefined) return
    area.current?.setSelectionRange(caret.current, caret.current)
    caret.current = undefined
  }, [text])
  useEffect(() => {
    const first = marks[0]
    if (first) area.current?.setSelectionRange(first.from, first.from)
  }, [marks])

  const look = (isAsked: boolean) => {
    const element = area.current!
    const place = element.selectionStart
    if (!known || (!isAsked && wordAt(element.value, place).length < 2)) return setOffer(undefined)
    const all = candidates(element.value, place, known)
    if (all.length === 0) return setOffer(undefined)
    setOffer({ all, chosen: 0, ...placeOf(mirror.current!, place - wordAt(element.value, place).length) })
  }
  const accept = ({ text: chosen, kind }: Candidate) => {
    const element = area.current!
    const place = element.selectionStart
    const from = place - wordAt(element.value, place).length
    const made = kind === 'function' ? `${chosen}(` : chosen
    caret.current = from + made.length
    onText(element.value.slice(0, from) + made + element.value.slice(place))
    setOffer(undefined)
    element.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      setOffer(undefined)
      const { selectionStart: from, selectionEnd: to, value } = area.current!
      return from === to ? onRun(0, value.length) : onRun(from, to)
    }
    if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault()
      return look(true)
    }
    if (!offer) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setOffer({ ...offer, chosen: (offer.chosen + step + offer.all.length) % offer.all.length })
    else if (event.key === 'Enter' || event.key === 'Tab') accept(offer.all[offer.chosen]!)
    else if (event.key === 'Escape') setOffer(undefined)
    else return
    event.preventDefault()
  }
  return (
    <div class="code">
      <pre aria-hidden="true" ref={mirror}>
        {parts.map(({ kind, text: part, at }) => (
          <span key={at} class={`${kind} ${marks.some(({ from, to }) => at < Math.max(to, from + 1) && from < at + part.length) ? 'wrong' : ''}`}>
            {part}
          </span>
        ))}
        {'\n'}
      </pre>
      <textarea
        ref={area}
        aria-label="SQL"
        aria-autocomplete="list"
        aria-controls={offer && 'offers'}
        aria-activedescendant={offer && `offer-${offer.chosen}`}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        value={text}
        onInput={(event) => {
          onText(event.currentTarget.value)
          // The mirror has the text once it is drawn.
          requestAnimationFrame(() => look(false))
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOffer(undefined)}
      />
      {offer && (
        <ul id="offers" role="listbox" aria-label="Completions" style={{ left: `${offer.x}px`, top: `${offer.y}px` }}>
          {offer.all.map((candidate, at) => (
            <li
              key={candidate.text}
              id={`offer-${at}`}
              role="option"
              aria-selected={at === offer.chosen}
              onPointerDown={(event) => {
                event.preventDefault()
                accept(candidate)
              }}
            >
              {candidate.text} <small>{candidate.kind}</small>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

/** Where a character stands, below its line, within what surrounds the text. */
function placeOf(mirror: HTMLElement, place: number): { x: number; y: number } {
  const outer = mirror.parentElement!.getBoundingClientRect()
  const walker = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT)
  let rest = place
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.nodeValue!.length
    if (rest <= length) {
      const range = document.createRange()
      range.setStart(node, rest)
      const found = range.getBoundingClientRect()
      return { x: Math.min(found.left - outer.left, outer.width - 200), y: found.bottom - outer.top + 4 }
    }
    rest -= length
  }
  return { x: 0, y: outer.height }
}
