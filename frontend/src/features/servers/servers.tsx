import { Page } from '../../components/page'

export const Servers = () => <Page title="Servers">{null}</Page>
