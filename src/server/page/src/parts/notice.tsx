// What is said to those who look at a view, beside the view itself.

import type { ComponentChildren } from 'preact'

interface NoticeProps {
  kind: 'error' | 'warning' | 'note'
  children: ComponentChildren
  /** What takes it away. */
  onDismiss?: () => void
}

export function Notice({ kind, children, onDismiss }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      <div>{children}</div>
      {onDismiss && (
        <button type="button" class="quiet" onClick={onDismiss}>
          Dismiss
        </button>
      )}
    </div>
  )
}

interface EmptyProps {
  title: string
  children?: ComponentChildren
  /** Whether there is nothing else, so that its title is that of the view. */
  isWhole?: boolean
}

/** A view that has nothing to show, and why. */
export function Empty({ title, children, isWhole = false }: EmptyProps) {
  return (
    <section class="empty">
      {isWhole ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </section>
  )
}
