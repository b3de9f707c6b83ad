import ReactMarkdown, { type Components } from 'react-markdown'
import classes from './answer.module.css'

/** Headings stay below those of the page; pictures would have to be fetched from elsewhere, so only their texts are shown. */
const components: Components = {
  h1: ({ children }) => <h4>{children}</h4>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h5>{children}</h5>,
  h5: ({ children }) => <h6>{children}</h6>,
  img: ({ alt, src }) => <>[picture: {alt || String(src ?? '')}]</>,
  a: ({ children, href }) => (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ),
}

/** HTML in it is shown as the text that it is. */
export default function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.markdown}>
      <ReactMarkdown components={components}>{text}</ReactMarkdown>
    </div>
  )
}
