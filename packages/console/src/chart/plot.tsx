/** uPlot, in the colours of the page and as wide as its place. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'

export interface Colours {
  readonly received: string
  readonly sent: string
  readonly text: string
  readonly grid: string
}

interface PlotProps {
  /** What the chart shows, in a sentence, for those who cannot see it. */
  readonly label: string
  readonly height: number
  readonly data: uPlot.AlignedData
  /** Without size; asked again when the colours of the page change. Must stay the same function. */
  options(colours: Colours): Omit<uPlot.Options, 'width' | 'height'>
}

export function Plot({ label, height, data, options }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(data)
  latest.current = data

  useEffect(() => {
    const element = place.current!
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const draw = () => {
      plot.current?.destroy()
      const size = { width: element.clientWidth, height }
      plot.current = new uPlot({ ...options(coloursOf(element)), ...size }, latest.current, element)
    }
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth
      if (width > 0 && width !== plot.current?.width) plot.current?.setSize({ width, height })
    })
    draw()
    resized.observe(element)
    dark.addEventListener('change', draw)
    return () => {
      dark.removeEventListener('change', draw)
      resized.disconnect()
      plot.current?.destroy()
    }
  }, [height, options])

  useEffect(() => plot.current?.setData(data), [data])

  return <div ref={place} class="plot" role="img" aria-label={label} />
}

function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return { received: colour('received'), sent: colour('sent'), text: colour('quiet'), grid: colour('line') }
}
