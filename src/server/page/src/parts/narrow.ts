// Whether the window is as narrow as that of a telephone; the style sheet has the same bound.

import { useEffect, useState } from 'preact/hooks'

const narrow = matchMedia('(max-width: 720px)')

export function isNarrow(): boolean {
  return narrow.matches
}

export function useIsNarrow(): boolean {
  const [is, setIs] = useState(narrow.matches)
  useEffect(() => {
    const change = () => setIs(narrow.matches)
    narrow.addEventListener('change', change)
    return () => narrow.removeEventListener('change', change)
  }, [])
  return is
}
