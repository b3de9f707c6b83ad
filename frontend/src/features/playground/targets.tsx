import { Box, Input, SegmentedControl, Text } from '@mantine/core'
import { memo, useId } from 'react'
import type { Names } from '../../api/server-names'
import type { FleetModel } from '../../api/types'
import { Choice } from '../../components/choice'
import { STYLES, type Style, type Target } from './ask'
import { serversOf, stylesOf } from './choose'
import classes from './playground.module.css'
import type { PlaygroundSearch } from './use-search'

interface Props {
  models: readonly FleetModel[]
  targets: readonly Target[]
  server: string | undefined
  onChange: (changes: PlaygroundSearch) => void
  names: Names
}

/** Whom to ask: a model or two, in which API, on which server. All of it is in the address. */
export const Targets = memo(function Targets({ models, targets, server: fixed, onChange, names }: Props) {
  const chosen = targets.map(({ model }) => model)
  const found = chosen.map((name) => models.find((model) => model.name === name))
  const all = models.map(({ name }) => name)
  const servers = [...new Set([...serversOf(found), ...(fixed ? [fixed] : [])])]
  return (
    <div className={classes.targets}>
      <Choice
        label="Model"
        data={[...new Set([...chosen.slice(0, 1), ...all])]}
        value={chosen[0] ?? null}
        onChange={(model) => onChange({ model: model ?? undefined })}
        nothingFoundMessage="No such model"
      />
      <Choice
        label="Compare with"
        placeholder="No other model"
        clearable
        data={[...new Set([...chosen.slice(1), ...all])]}
        value={chosen[1] ?? null}
        onChange={(model) => onChange({ with: model ?? undefined })}
        clearButtonProps={{ 'aria-label': 'Compare no longer' }}
        nothingFoundMessage="No such model"
      />
      <Styles
        styles={[...new Set(found.flatMap(stylesOf))]}
        style={targets[0]?.style ?? 'ollama'}
        onChange={(one) => onChange({ style: one })}
      />
      <Choice
        label="Server"
        placeholder="Automatic"
        clearable
        data={servers.map((value) => ({ value, label: names[value] ?? value }))}
        value={fixed ?? null}
        onChange={(server) => onChange({ server: server ?? undefined })}
        clearButtonProps={{ 'aria-label': 'Choose the server automatically' }}
        nothingFoundMessage="No such server"
      />
    </div>
  )
})

/** Only where there is something to choose. */
function Styles({
  styles,
  style,
  onChange,
}: {
  styles: readonly Style[]
  style: Style
  onChange: (style: Style) => void
}) {
  const id = useId()
  return (
    <Input.Wrapper label="API" labelElement="div" labelProps={{ id }}>
      {styles.length > 1 ? (
        <SegmentedControl
          fullWidth
          aria-labelledby={id}
          data={styles.map((value) => ({ value, label: STYLES[value].word }))}
          value={style}
          onChange={onChange}
        />
      ) : (
        <Box h={36} display="flex" style={{ alignItems: 'center' }}>
          <Text size="sm" aria-labelledby={id}>
            {STYLES[style].word} only
          </Text>
        </Box>
      )}
    </Input.Wrapper>
  )
}
