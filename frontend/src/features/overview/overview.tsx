import { Page } from '../../components/page'

export const Overview = () => <Page title="Overview">{null}</Page>
