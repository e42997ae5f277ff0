/** The dashboard's page. */
import { render } from 'preact'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/pages.css'
import { App } from './app.js'
import { Boundary } from './parts/boundary.js'
import { start } from './state/live.js'

const root = document.getElementById('app')
if (root !== null)
  render(
    <Boundary of="the page" heading>
      <App />
    </Boundary>,
    root,
  )
start()
