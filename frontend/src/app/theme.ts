import {
  type BadgeProps,
  type CSSVariablesResolver,
  createTheme,
  type DrawerProps,
  type MenuProps,
  type ModalProps,
  type NotificationProps,
  type SelectProps,
  type TableProps,
} from '@mantine/core'

const closeButtonProps = { 'aria-label': 'Close' }

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: 'sm',
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  // Only the types of components: the components themselves would be loaded with the first page, whatever it shows.
  components: {
    Badge: { defaultProps: { radius: 'sm', tt: 'none', fw: 500 } satisfies Partial<BadgeProps> },
    Drawer: { defaultProps: { closeButtonProps } satisfies Partial<DrawerProps> },
    // What it would focus first is no item, which a menu must not hold.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } satisfies Partial<MenuProps> },
    Modal: { defaultProps: { closeButtonProps } satisfies Partial<ModalProps> },
    Notification: { defaultProps: { closeButtonProps } satisfies Partial<NotificationProps> },
    // The list itself scrolls: a box around it would have to be in the order of the keyboard.
    Select: {
      defaultProps: {
        withScrollArea: false,
        styles: { options: { maxHeight: 240, overflowY: 'auto' } },
      } satisfies Partial<SelectProps>,
    },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm', fz: 'sm' } satisfies Partial<TableProps> },
  },
})

// Mantine's stock "dimmed", placeholder and error colours fail WCAG AA on white (3.3:1).
export const resolver: CSSVariablesResolver = (t) => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': t.colors.gray[7],
    '--mantine-color-placeholder': '#6c757d',
    '--mantine-color-error': t.colors.red[9],
    '--mantine-color-red-outline': t.colors.red[9],
    '--mantine-color-orange-outline': t.colors.orange[9],
    '--tone-ok': '#2b8a3e',
    '--tone-warn': '#d9480f',
    '--tone-bad': '#c92a2a',
    '--tone-info': '#1971c2',
    '--c1': '#3b5bdb',
    '--c2': '#0c8599',
    '--c3': '#d9480f',
    '--c4': '#9c36b5',
    '--c5': '#2b8a3e',
    '--c6': '#5c5f66',
  },
  dark: {
    '--mantine-color-dimmed': '#b1b6bd',
    '--mantine-color-placeholder': '#9aa0a6',
    '--mantine-color-error': t.colors.red[4],
    '--mantine-color-red-outline': t.colors.red[4],
    '--mantine-color-orange-outline': t.colors.orange[4],
    '--tone-ok': '#51cf66',
    '--tone-warn': '#ffa94d',
    '--tone-bad': '#ff6b6b',
    '--tone-info': '#4dabf7',
    '--c1': '#748ffc',
    '--c2': '#3bc9db',
    '--c3': '#ffa94d',
    '--c4': '#da77f2',
    '--c5': '#69db7c',
    '--c6': '#c1c2c5',
  },
})
