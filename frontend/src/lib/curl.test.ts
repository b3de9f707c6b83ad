import { expect, it } from 'vitest'
import { curl, quoted } from './curl'

it('writes one command with its headers and its body', () => {
  expect(
    curl({
      url: 'http://127.0.0.1:5100/api/chat',
      headers: [['Content-Type', 'application/json']],
      body: { model: "it's", stream: true },
      stream: true,
    }),
  ).toBe(
    [
      'curl -N http://127.0.0.1:5100/api/chat',
      "-H 'Content-Type: application/json'",
      String.raw`-d '{"model":"it'\''s","stream":true}'`,
    ].join(' \\\n  '),
  )
})

it('takes the key from the environment, in the header that was used', () => {
  expect(curl({ url: 'http://a', keyHeader: 'Authorization' })).toContain('-H "Authorization: Bearer $YOUR_KEY"')
  expect(curl({ url: 'http://a', keyHeader: 'X-Api-Key' })).toContain('-H "X-Api-Key: $YOUR_KEY"')
})

it('lets no text out of its quotes', () => {
  expect(quoted('$(reboot)')).toBe("'$(reboot)'")
  expect(quoted("a'; reboot; '")).toBe(String.raw`'a'\''; reboot; '\'''`)
  expect(quoted('')).toBe("''")
})
