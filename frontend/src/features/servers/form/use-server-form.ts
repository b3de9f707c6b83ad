import { type UseFormReturnType, useForm } from '@mantine/form'
import type { ServerAnswer } from '../../../api/types'
import { check } from './schema'
import { EMPTY, type Values, valuesOf } from './values'

export type ServerFormState = UseFormReturnType<Values>

export const useServerForm = (server: ServerAnswer | undefined): ServerFormState =>
  useForm<Values>({ initialValues: server ? valuesOf(server) : EMPTY, validate: check })
