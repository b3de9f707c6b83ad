import { Page } from '../../components/page'

export const Requests = () => <Page title="Requests">{null}</Page>
