// A question that has to be answered before something is done.

import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface ConfirmProps {
  title: string
  action: string
  /** Whether what is done cannot be undone. */
  isFinal?: boolean
  children: ComponentChildren
  onAnswer: (isYes: boolean) => void
}

export function Confirm({ title, action, isFinal = false, children, onAnswer }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={() => onAnswer(false)}>
      <h2 id="confirm-title">{title}</h2>
      <div>{children}</div>
      <footer>
        <button type="button" autofocus onClick={() => onAnswer(false)}>
          Cancel
        </button>
        <button type="button" class={isFinal ? 'danger' : 'main'} onClick={() => onAnswer(true)}>
          {action}
        </button>
      </footer>
    </dialog>
  )
}
