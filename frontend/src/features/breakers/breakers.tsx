import { Page } from '../../components/page'

export const Breakers = () => <Page title="Circuit breakers">{null}</Page>
