import { describe, expect, it } from 'vitest'
import { aPoint } from '../../test/points'
import { curve, errorCurves, lineOf, loadCurves, rateCurve } from './series'

describe('gaps', () => {
  const timesOf = (...steps: [time: number, step: number][]) =>
    lineOf(steps.map(([time, stepSeconds]) => aPoint(time, { stepSeconds }))).times

  it('stand where the orchestrator did not run', () => {
    const line = lineOf([aPoint(1), aPoint(2), aPoint(12), aPoint(13)])
    expect(line.times).toEqual([1, 2, 6.5, 12, 13])
    expect(line.points[2]).toBeNull()
    expect(curve(line, 'x', '--c1', (point) => point.time).values).toEqual([1, 2, null, 12, 13])
  })

  it('are none where one second was missed', () => expect(timesOf([1, 1], [3, 1])).toEqual([1, 3]))
  it('are none where coarse points meet fine ones', () =>
    expect(timesOf([60, 60], [70, 10], [71, 1])).toEqual([60, 70, 71]))
  it('are none where a step took a little longer', () => expect(timesOf([60, 60], [125, 60])).toEqual([60, 125]))
  it('are there between coarse points too', () => expect(timesOf([60, 60], [240, 60])).toEqual([60, 120, 240]))
})

it('rates are per second, whatever the step', () => {
  const line = lineOf([aPoint(10, { stepSeconds: 10, requests: 50 }), aPoint(11, { requests: 7 })])
  expect(rateCurve(line, 'x', '--c1', (point) => point.requests).values).toEqual([5, 7])
})

describe('errors', () => {
  it('have a curve for each reason that occurred', () => {
    const line = lineOf([aPoint(1, { errors: { timeout: 2 } }), aPoint(2, { errors: { serverError: 1 } })])
    expect(errorCurves(line).map(({ label, values }) => [label, values])).toEqual([
      ['Server error', [0, 1]],
      ['Timed out', [2, 0]],
    ])
  })

  it('are not what is nobody’s fault', () => {
    const line = lineOf([aPoint(1, { errors: { clientGone: 2, cancelled: 1, timeout: 3 } })])
    expect(errorCurves(line).map(({ label }) => label)).toEqual(['Timed out'])
  })

  it('are a flat line where there were none', () => {
    expect(errorCurves(lineOf([aPoint(1), aPoint(2)])).map(({ values }) => values)).toEqual([[0, 0]])
  })
})

describe('load by server', () => {
  const line = lineOf([aPoint(1, { inFlightByServer: { a: 1, b: 2, z: 3 } }), aPoint(2)])

  it('has the colour of the server, and the name', () => {
    const curves = loadCurves(line, ['b', null, 'a'], { x: 'X', a: 'Attic', b: 'b' })
    expect(curves.map(({ label, color, values }) => [label, color, values])).toEqual([
      ['b', '--c3', [2, 0]],
      ['Attic', '--c2', [1, 0]],
      ['Others', '--mantine-color-dimmed', [3, 0]],
    ])
  })

  it('looks the same for a server whatever its rank, and unlike for the first twelve', () => {
    const ids = Array.from({ length: 12 }, (_, at) => `s${at}`)
    const names = Object.fromEntries(ids.map((id) => [id, id]))
    const looks = (places: string[]) =>
      loadCurves(line, places, names).flatMap(({ label, color, dashed }) =>
        ids.includes(label) ? [`${label}: ${color} ${dashed}`] : [],
      )
    expect(looks([...ids].reverse()).reverse()).toEqual(looks(ids))
    expect(new Set(looks(ids).map((look) => look.split(': ')[1])).size).toBe(12)
  })

  it('is grey for a server that is not registered any more', () => {
    expect(loadCurves(line, ['z'], {})[0]).toMatchObject({ label: 'z', color: '--mantine-color-dimmed' })
  })

  it('has no others where all are shown, and a flat line where nothing runs', () => {
    expect(loadCurves(line, ['a', 'b', 'z'], {})).toHaveLength(3)
    expect(loadCurves(lineOf([aPoint(1)]), [], {}).map(({ values }) => values)).toEqual([[0]])
  })
})
