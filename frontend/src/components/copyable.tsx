import { ActionIcon, Box, Code, CopyButton, Tooltip } from '@mantine/core'
import { Check, Copy } from 'lucide-react'

/** Text to be copied. label: what it is, for the button's name. */
export const Copyable = ({ text, label }: { text: string; label: string }) => (
  <Box pos="relative" w="100%">
    <Code
      block
      ta="left"
      tabIndex={0}
      role="region"
      aria-label={label}
      style={{ padding: '8px 44px 8px 10px', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
    >
      {text}
    </Code>
    <Box pos="absolute" top={4} right={4}>
      <CopyIcon text={text} label={label} />
    </Box>
  </Box>
)

export const CopyIcon = ({ text, label }: { text: string; label: string }) => (
  <CopyButton value={text}>
    {({ copied, copy }) => (
      <Tooltip label={copied ? 'Copied' : `Copy ${label}`}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={copied ? `${label} copied` : `Copy ${label}`}
          onClick={copy}
        >
          {copied ? <Check size={14} /> : <Copy size={14} />}
        </ActionIcon>
      </Tooltip>
    )}
  </CopyButton>
)
