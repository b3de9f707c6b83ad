import { Page } from '../../components/page'

export const About = () => <Page title="About">{null}</Page>
