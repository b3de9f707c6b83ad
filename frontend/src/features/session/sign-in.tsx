import { Page } from '../../components/page'

export const SignIn = () => <Page title="Sign in">{null}</Page>
