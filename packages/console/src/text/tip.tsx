/** The explanation of what is pointed at: one element for the whole page, placed where it is needed. */
import { useEffect, useRef } from 'preact/hooks'

const ID = 'tip'
const MARGIN = 8

export function Tip() {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const tip = element.current!
    let shownFor: Element | undefined

    const hide = () => {
      shownFor?.removeAttribute('aria-describedby')
      shownFor = undefined
      tip.hidePopover()
    }
    const show = (target: Element) => {
      if (target === shownFor) return
      hide()
      shownFor = target
      target.setAttribute('aria-describedby', ID)
      tip.textContent = target.getAttribute('data-explain')
      tip.showPopover()
      place(tip, target.getBoundingClientRect())
    }
    const point = ({ target }: Event) => {
      if (!(target instanceof Element) || tip.contains(target)) return
      const explained = target.closest('[data-explain]')
      if (explained !== null) show(explained)
      else if (shownFor !== document.activeElement) hide()
    }
    const key = (event: KeyboardEvent) => {
      if (event.key === 'Escape') hide()
    }
    document.addEventListener('pointerover', point)
    document.addEventListener('focusin', point)
    document.addEventListener('focusout', hide)
    document.addEventListener('keydown', key)
    document.addEventListener('scroll', hide, { capture: true, passive: true })
    return () => {
      document.removeEventListener('pointerover', point)
      document.removeEventListener('focusin', point)
      document.removeEventListener('focusout', hide)
      document.removeEventListener('keydown', key)
      document.removeEventListener('scroll', hide, { capture: true })
    }
  }, [])
  return <div ref={element} id={ID} class="tip" role="tooltip" popover="manual" />
}

/** Below what it explains, or above where there is no room; never beyond the edge. */
function place(tip: HTMLElement, at: DOMRect): void {
  const { width, height } = tip.getBoundingClientRect()
  const left = Math.min(Math.max(MARGIN, at.left), innerWidth - width - MARGIN)
  const below = at.bottom + MARGIN
  const top = below + height > innerHeight ? at.top - height - MARGIN : below
  tip.style.left = `${Math.max(MARGIN, left)}px`
  tip.style.top = `${Math.max(MARGIN, top)}px`
}
