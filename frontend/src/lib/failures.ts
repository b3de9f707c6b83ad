/** What ended because somebody wanted it so: a failure of the request, but no error of anything. */
const WANTED = ['clientGone', 'cancelled']

/** Whether a request that failed so counts as an error. failure: as requests and points tell it. */
export const isError = (failure: string) => !WANTED.includes(failure)
