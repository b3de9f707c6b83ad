/** The page to go to after signing in: a path of this UI, never another site, never this page again. */
export function nextOf(asked: string | undefined): string {
  if (!asked?.startsWith('/') || /^\/[/\\]/.test(asked)) return '/'
  // What browsers take out of addresses could hide a second slash.
  if (/[\t\n\r]/.test(asked)) return '/'
  return /^\/sign-in(?![\w-])/.test(asked) ? '/' : asked
}
