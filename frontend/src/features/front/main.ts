import './front.css'

import { askReadiness, showReadiness } from './readiness.ts'

const readiness = document.getElementById('readiness')
if (readiness !== null) void askReadiness(fetch).then((answer) => { showReadiness(readiness, answer) })

const command = document.getElementById('command')
const copy = document.getElementById('copy')
const copied = document.getElementById('copied')
if (command?.textContent && copy !== null && copied !== null) {
  // The command for the place this page came from, not for the default one.
  command.textContent = command.textContent.replace('http://127.0.0.1:8080', location.origin)
  // Browsers offer the clipboard on secure origins only; localhost is one.
  if ('clipboard' in navigator) {
    copy.hidden = false
    copy.addEventListener('click', () => {
      void navigator.clipboard.writeText(command.textContent).then(
        () => { copied.textContent = copy.textContent = 'Copied' },
        () => { copied.textContent = copy.textContent = 'Not allowed' },
      )
    })
  }
}
