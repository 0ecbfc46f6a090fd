// Cartwheel's chat on a shop's own pages: put <div data-cartwheel-support></div> where it
// is to stand. Texts are shown as texts, never as mark-up. See docs/support.md.
(() => {
  'use strict'
  const script = document.currentScript
  if (!script?.dataset.key) return
  const api = (script.dataset.api || new URL(script.src).origin).replace(/\/+$/, '')
  const LONGEST = 2000
  const WAIT = 10000 // then the shop's other ways are named

  const WORDS = {
    label: 'Your question',
    address: 'E-mail address, if a person is to answer (optional)',
    send: 'Ask',
    you: 'You',
    shop: 'Shop',
    source: 'From',
    failed: 'That did not work. Please try again, or write to the shop.',
    busy: 'One moment…'
  }

  const make = (tag, name, text) =>
    Object.assign(document.createElement(tag), { className: name || '', textContent: text || '' })

  // Kept by storefront.js, and only with consent.
  function visitor() {
    try { return JSON.parse(localStorage.getItem('cartwheel.visitor')).id } catch { return null }
  }

  async function ask(text, product, address) {
    const body = { text }
    if (address) body.reply_to = address
    if (product) body.product = product
    if (visitor()) body.visitor = visitor()
    const answer = await fetch(api + '/v1/support', {
      method: 'POST',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + script.dataset.key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(WAIT)
    })
    if (!answer.ok) throw new Error(answer.status)
    return answer.json()
  }

  function show(reply, words) {
    const said = make('div', 'cw-said cw-shop')
    said.append(make('b', 'cw-who', words.shop))
    const headings = new Set()
    for (const one of reply.says) {
      said.append(make('p', '', one.text))
      if (one.heading) headings.add(one.heading)
    }
    if (headings.size) said.append(make('p', 'cw-source', words.source + ': ' + [...headings].join(', ')))
    if (reply.notice) said.append(make('p', '', reply.notice))
    if (reply.automated) said.append(make('small', 'cw-automated', reply.automated))
    return said
  }

  function start(root, number) {
    const words = { ...WORDS }
    for (const name in words) words[name] = root.dataset[name] || words[name]
    const log = make('div', 'cw-log')
    log.setAttribute('role', 'log')
    log.setAttribute('aria-live', 'polite')
    log.tabIndex = 0
    log.setAttribute('aria-label', words.shop)
    const form = make('form', 'cw-form')
    const id = 'cw-ask-' + number
    const label = make('label', '', words.label)
    label.htmlFor = id
    const field = Object.assign(make('textarea', 'cw-field'), { id, rows: 2, maxLength: LONGEST, required: true })
    const mail = Object.assign(make('input', 'cw-address'), { id: id + '-mail', type: 'email', maxLength: 254, autocomplete: 'email' })
    const mailLabel = make('label', '', words.address)
    mailLabel.htmlFor = mail.id
    const button = make('button', root.dataset.buttonClass || 'cw-send', words.send)
    form.append(label, field, mailLabel, mail, button)
    root.replaceChildren(log, form)
    form.addEventListener('submit', async event => {
      event.preventDefault()
      const text = field.value.trim()
      if (!text || button.disabled) return
      const mine = make('div', 'cw-said cw-you')
      mine.append(make('b', 'cw-who', words.you), make('p', '', text))
      const busy = make('p', 'cw-busy', words.busy)
      log.append(mine, busy)
      button.disabled = true
      try {
        const reply = await ask(text, root.dataset.product, mail.value.trim())
        busy.replaceWith(show(reply, words))
        if (reply.outcome !== 'handed_over' || mail.value) field.value = '' // else it is sent again
      } catch {
        busy.textContent = words.failed
      }
      button.disabled = false
      log.scrollTop = log.scrollHeight
      field.focus()
    })
  }

  const all = () => document.querySelectorAll('[data-cartwheel-support]').forEach(start)
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', all)
  else all()
})()
