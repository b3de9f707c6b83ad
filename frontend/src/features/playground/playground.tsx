import { Page } from '../../components/page'

export const Playground = () => <Page title="Playground">{null}</Page>
