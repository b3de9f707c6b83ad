import { Page } from '../../components/page'

export const Models = () => <Page title="Models">{null}</Page>
