import { Activity, Boxes, FlaskConical, Info, LayoutDashboard, type LucideIcon, ServerCog, Zap } from 'lucide-react'

export interface Place {
  to: '/' | '/requests' | '/servers' | '/models' | '/breakers' | '/playground' | '/about'
  label: string
  icon: LucideIcon
  /** After `g`. */
  key: string
}

export const groups: { label: string; places: Place[] }[] = [
  {
    label: 'Monitor',
    places: [
      { to: '/', label: 'Overview', icon: LayoutDashboard, key: 'o' },
      { to: '/requests', label: 'Requests', icon: Activity, key: 'r' },
    ],
  },
  {
    label: 'Fleet',
    places: [
      { to: '/servers', label: 'Servers', icon: ServerCog, key: 's' },
      { to: '/models', label: 'Models', icon: Boxes, key: 'm' },
      { to: '/breakers', label: 'Circuit breakers', icon: Zap, key: 'b' },
    ],
  },
  {
    label: 'Try',
    places: [
      { to: '/playground', label: 'Playground', icon: FlaskConical, key: 'p' },
      { to: '/about', label: 'About', icon: Info, key: 'a' },
    ],
  },
]

export const places = groups.flatMap((group) => group.places)

export const isAt = (place: Place, path: string) =>
  place.to === '/' ? path === '/' : path === place.to || path.startsWith(`${place.to}/`)
