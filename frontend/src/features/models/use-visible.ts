import { useVirtualizer, useWindowVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { type RefObject, useLayoutEffect, useState } from 'react'

/** Fewer are all drawn. */
const FEW = 60
const OVERSCAN = 8

interface Visible {
  /** Places in the list of what is to be drawn. */
  indexes: number[]
  /** Pixels to be left free for what is not. */
  before: number
  after: number
  /** To be called with every drawn element, which tells its place by data-index. */
  measure: ((element: Element | null) => void) | undefined
}

/** The rows of a list in a box that scrolls. height: of a row, about. */
export function useVisible(count: number, box: RefObject<HTMLElement | null>, height: number): Visible {
  const virtual = useVirtualizer({
    count,
    enabled: count > FEW,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    useFlushSync: false, // scrolling stays fluid; what comes into sight was drawn ahead
  })
  return visible(virtual, count, 0)
}

/** The items of a list that scrolls with the page. */
export function useVisibleInPage(count: number, list: RefObject<HTMLElement | null>, height: number): Visible {
  const [top, setTop] = useState(0)
  useLayoutEffect(() => setTop((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY), [list])
  const virtual = useWindowVirtualizer({
    count,
    enabled: count > FEW,
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: top,
    useFlushSync: false,
  })
  return visible(virtual, count, top)
}

function visible<E extends Element | Window>(virtual: Virtualizer<E, Element>, count: number, top: number): Visible {
  if (count <= FEW)
    return { indexes: Array.from({ length: count }, (_, at) => at), before: 0, after: 0, measure: undefined }
  const items = virtual.getVirtualItems()
  return {
    indexes: items.map((item) => item.index),
    before: (items[0]?.start ?? top) - top,
    after: virtual.getTotalSize() - ((items.at(-1)?.end ?? top) - top),
    measure: virtual.measureElement,
  }
}
