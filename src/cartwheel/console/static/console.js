// Small comforts. Every page works without this file: forms post and come back.

const status = document.getElementById('status')

function say(text, failed) {
  if (!status) return
  status.hidden = false
  status.classList.toggle('is-failed', Boolean(failed))
  status.classList.toggle('is-done', !failed)
  status.textContent = text
}

// A form marked data-swap replaces its own row with the answer, without a reload.
document.addEventListener('submit', async event => {
  const form = event.target
  if (!('swap' in form.dataset)) return
  event.preventDefault()
  const button = event.submitter
  const row = form.closest('[data-row]')
  const action = button?.getAttribute('formaction') || form.getAttribute('action')
  if (form.dataset.busy) return
  form.dataset.busy = 'yes'
  try {
    const answer = await fetch(action, {
      method: 'POST',
      body: new URLSearchParams(new FormData(form, button)),
      headers: { 'x-partial': '1' }
    })
    if (answer.status === 401) return location.assign('/sign-in')
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => ({}))).error
      return say(problem ? `${problem.message} ${problem.next_step}` : `Failed: ${answer.status}`, true)
    }
    const holder = document.createElement('template')
    holder.innerHTML = (await answer.text()).trim()
    const fresh = holder.content.firstElementChild
    row.replaceWith(fresh)
    say(fresh.dataset.say || 'Done.')
    const next = fresh.querySelector('button') || fresh.querySelector('a')
    if (next) next.focus()
  } catch {
    say('The server did not answer. Check that it runs, then try again.', true)
  } finally {
    delete form.dataset.busy
  }
})

// One box ticks all on the page.
for (const label of document.querySelectorAll('.needs-script')) label.hidden = false
const all = document.getElementById('tick-all')
all?.addEventListener('change', () => {
  for (const box of document.querySelectorAll('input[name=id]')) box.checked = all.checked
})

// A running turn is asked about every few seconds while the page is looked at.
async function watch() {
  const box = document.getElementById('progress')
  if (!box || !box.querySelector('.is-running, .is-waiting')) return
  if (document.visibilityState === 'visible') {
    const answer = await fetch('/progress').catch(() => null)
    if (answer?.ok) {
      const holder = document.createElement('template')
      holder.innerHTML = (await answer.text()).trim()
      const fresh = holder.content.firstElementChild
      if (!fresh.querySelector('.is-running, .is-waiting')) return location.reload()
      box.replaceWith(fresh)
    }
  }
  setTimeout(watch, 4000)
}
setTimeout(watch, 4000)

// What came in just now is counted again every few seconds, quietly.
async function recount() {
  const line = document.querySelector('[data-again]')
  if (!line) return
  if (document.visibilityState === 'visible') {
    const answer = await fetch('/arrivals').catch(() => null)
    if (answer?.ok) {
      const holder = document.createElement('template')
      holder.innerHTML = (await answer.text()).trim()
      if (holder.content.firstElementChild?.id === line.id) line.replaceWith(holder.content)
    }
  }
  setTimeout(recount, 3000)
}
setTimeout(recount, 3000)

// The nearest point's value beside the pointer on a line chart.
let tip
function hideTip() {
  tip?.remove()
  tip = undefined
  for (const line of document.querySelectorAll('.cursor.is-on')) line.classList.remove('is-on')
}
document.addEventListener('pointermove', event => {
  const chart = event.target.closest?.('svg[data-points]')
  if (!chart) return tip && hideTip()
  chart.spots ||= JSON.parse(chart.dataset.points)
  const box = chart.getBoundingClientRect()
  const scale = chart.viewBox.baseVal.width / box.width
  const at = (event.clientX - box.left) * scale
  const spot = chart.spots.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a))
  const line = chart.querySelector('.cursor')
  line.setAttribute('x1', spot[0])
  line.setAttribute('x2', spot[0])
  line.classList.add('is-on')
  if (!tip) {
    tip = document.createElement('div')
    tip.className = 'tip'
    document.body.append(tip)
  }
  tip.textContent = spot[1]
  const left = box.left + spot[0] / scale
  tip.style.left = `${Math.max(8, Math.min(left - tip.offsetWidth / 2, innerWidth - tip.offsetWidth - 8))}px`
  tip.style.top = `${Math.max(4, box.top - tip.offsetHeight - 2)}px`
})
document.addEventListener('scroll', hideTip, { passive: true })

// Pointing at a node of the wheel lights its links.
const wheel = document.querySelector('.wheel')
function light(node) {
  wheel.classList.toggle('has-lit', Boolean(node))
  for (const link of wheel.querySelectorAll('[data-from]')) {
    link.classList.toggle('is-lit', link.dataset.from === node || link.dataset.to === node)
  }
}
if (wheel) {
  for (const type of ['pointerover', 'focusin']) {
    wheel.addEventListener(type, event => light(event.target.closest('[data-node]')?.dataset.node))
  }
  for (const type of ['pointerleave', 'focusout']) wheel.addEventListener(type, () => light())
}
