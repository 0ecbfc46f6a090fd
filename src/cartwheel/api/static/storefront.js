// Cartwheel on a shop's own pages: events, recommendations, instant search. What is
// late, wrong or missing leaves the page as it was. See docs/storefront.md.
(() => {
  'use strict'
  const script = document.currentScript
  const early = window.cartwheel
  if (!script?.dataset.key || early?.refresh) return // no key, or loaded twice

  const settings = script.dataset
  const api = (settings.api || new URL(script.src).origin).replace(/\/+$/, '')
  const timeLimit = +settings.timeout || 800
  const OPEN = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' }
  const WISHES = ['view', 'add_to_cart', 'click']
  const TEXTS = ['product_id', 'variant_id', 'placement', 'decision_id', 'query']
  const NUMBERS = ['result_count', 'quantity_units', 'position']
  const BATCH = 50 // 15 kB of the 64 a beacon carries

  const isText = value => typeof value === 'string' && value !== ''
  const list = value => (Array.isArray(value) ? value : [])
  const words = value => (value || '').split(/\s+/).filter(Boolean)
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const slots = () => all('[data-cartwheel]')
  const clean = (value, most = 200) => String(value).replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, most)
  const newId = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  const make = (tag, name = '', text = '') =>
    Object.assign(document.createElement(tag), { className: name, textContent: text })
  const set = (node, values) => { for (const name in values) node.setAttribute(name, values[name]) }

  // ---- Consent and memory

  const memory = kind => ({
    get(name) {
      try { return JSON.parse(window[kind].getItem('cartwheel.' + name)) } catch { return null }
    },
    set(name, value) {
      try {
        if (value) window[kind].setItem('cartwheel.' + name, JSON.stringify(value))
        else window[kind].removeItem('cartwheel.' + name)
      } catch {} // full or forbidden
    }
  })
  const device = memory('localStorage')
  const visit = memory('sessionStorage') // of one tab

  let agreed = false
  let visitor = null
  let customer = settings.customer || null
  let seen = [] // product ids of this visit, oldest first
  let queue = []

  // What this person said counts; else the page's word.
  function settle() {
    const said = device.get('consent')
    const given = settings.consent === 'granted' && !navigator.globalPrivacyControl
    agreed = settings.consent !== 'denied' && (said ? said === 'granted' : given)
    if (agreed) {
      const old = device.get('visitor')
      if (!isText(old?.id) || !(Date.now() - old.since < 395 * 864e5)) device.set('visitor', { id: newId(), since: Date.now() })
      visitor = device.get('visitor')?.id // none where storing is forbidden
      const before = visit.get('seen')
      if (Date.now() - before?.at < 18e5) remember(...list(before.ids).filter(isText), ...seen)
      const waiting = list(visit.get('queue')).filter(event => isText(event?.event_id))
      queue = [...new Map([...waiting, ...queue].map(event => [event.event_id, event])).values()]
      keep()
    } else {
      visitor = null
      queue = queue.filter(event => !event.visitor_id && !event.customer_id)
      device.set('visitor')
      visit.set('seen')
      visit.set('queue')
    }
    for (const box of all('[data-cartwheel-ask]')) box.hidden = Boolean(said || settings.consent)
  }

  function remember(...ids) {
    seen = [...new Set([...seen, ...ids].reverse())].reverse().slice(-20)
  }

  function keep() {
    queue = queue.slice(-200)
    if (!agreed) return
    visit.set('seen', { ids: seen, at: Date.now() })
    visit.set('queue', queue)
  }

  function consent(granted) {
    device.set('consent', granted ? 'granted' : 'denied')
    if (!granted) seen = []
    settle()
    fillAll()
  }

  // ---- Events

  let timer = 0
  let sending = false
  let pause = 0

  function address(path, fields = {}) {
    const query = new URLSearchParams({ key: settings.key })
    for (const name in fields) for (const one of [fields[name] ?? []].flat()) query.append(name, one)
    return `${api}${path}?${query}`
  }

  function track(kind, fields) {
    const event = { event_id: clean(fields.event_id || newId()), kind }
    // Told again under the page's own id, it must be the same to the letter.
    if (!fields.event_id) event.occurred_at = new Date().toISOString()
    for (const name of TEXTS) {
      if (fields[name]) event[name] = clean(fields[name], name === 'query' ? 1000 : 200)
    }
    for (const name of NUMBERS) {
      const number = parseFloat(fields[name])
      if (Number.isSafeInteger(number) && number >= (name === 'position')) event[name] = number
    }
    if (agreed) Object.assign(event, visitor && { visitor_id: visitor }, customer && { customer_id: customer })
    if (event.product_id && WISHES.includes(kind)) remember(event.product_id)
    queue.push(event)
    keep()
    later(200)
  }

  function later(milliseconds) {
    if (sending || pause) return
    clearTimeout(timer)
    timer = setTimeout(flush, milliseconds)
  }

  async function flush() {
    clearTimeout(timer)
    if (sending || !queue.length) return
    sending = true
    const batch = queue.slice(0, BATCH)
    let wait = 0
    try {
      const answer = await fetch(address('/v1/events'), {
        ...OPEN, method: 'POST', keepalive: true, body: JSON.stringify({ events: batch })
      })
      wait = answer.headers.get('Retry-After') * 1000 || 0
      if (answer.status > 499 || [408, 429].includes(answer.status)) throw answer
      // What is refused for good is settled too.
      const told = await answer.json().catch(() => null)
      settled(batch, list(told?.rejected || told?.error?.details))
      pause = 0
    } catch {
      pause = Math.min(pause * 2 || 1000, 60e3)
    }
    sending = false
    if (pause) timer = setTimeout(flush, Math.max(wait, pause * (0.5 + Math.random())))
    else if (queue.length) flush()
  }

  function settled(batch, faults) {
    queue = queue.filter(event => !batch.some(one => one.event_id === event.event_id))
    for (const fault of faults) {
      // This device's clock is wrong; the server's counts.
      const event = fault?.field === 'occurred_at' && batch[fault.index]
      if (event?.occurred_at) queue.push({ ...event, occurred_at: undefined })
    }
    keep()
  }

  // Whether these arrive is never told: the visit's next page sends them again.
  function leave() {
    clearTimeout(refreshing)
    for (let at = 0; at < queue.length; at += BATCH) {
      navigator.sendBeacon(address('/v1/events'), JSON.stringify({ events: queue.slice(at, at + BATCH) }))
    }
  }

  // ---- Answers

  // The answer, or null when it is late or refused.
  async function ask(path, fields) {
    try {
      const query = { ...fields, ...(agreed && { visitor, customer }) }
      const answer = await fetch(address(path, query), { ...OPEN, signal: AbortSignal.timeout(timeLimit) })
      return answer.ok ? Object(await answer.json()) : null
    } catch {
      return null
    }
  }

  function safe(text) {
    try {
      return /^https?:$/.test(new URL(text, document.baseURI).protocol) ? text : null
    } catch {
      return null
    }
  }

  const fillIn = (pattern, value) => safe(pattern?.replace(/{\w+}/, encodeURIComponent(value)))

  function price(card) {
    try {
      const style = { style: 'currency', currency: card.currency || settings.currency }
      const format = new Intl.NumberFormat(document.documentElement.lang || undefined, style)
      const money = format.format(card.price_minor / 10 ** format.resolvedOptions().maximumFractionDigits)
      return card.from_price ? `${settings.from ?? 'from'} ${money}` : money
    } catch {
      return ''
    }
  }

  function shown(item) {
    const card = item?.card
    const id = item?.product_id
    if (!isText(id) || !isText(card?.title)) return null
    return {
      ...card,
      id,
      position: item.position,
      reason: item.reason,
      price: Number.isInteger(card.price_minor) ? price(card) : '',
      link: isText(card.url) ? safe(card.url) : fillIn(settings.productUrl, id),
      image: isText(card.image_url) ? safe(card.image_url) : fillIn(settings.imageUrl, id)
    }
  }

  // ---- Slots

  // Where the shop gives no <template> of its own.
  function ownLook() {
    const node = make('li', 'cartwheel-item')
    const link = node.appendChild(make('a'))
    set(link, { 'data-link': '' })
    set(link.appendChild(make('img')), { 'data-image': '' })
    for (const name of ['title', 'price']) set(link.appendChild(make('span', 'cartwheel-' + name)), { 'data-text': name })
    return node
  }

  function draw(template, card) {
    const node = template ? document.importNode(template, true) : ownLook()
    for (const part of [node, ...all('*', node)]) {
      const { text, link, image } = part.dataset
      if (text) {
        part.textContent = isText(card[text]) ? card[text] : ''
        part.hidden = !part.textContent
      }
      if (link != null && card.link) part.href = card.link
      if (image != null) {
        part.alt ||= ''
        if (card.image) part.src = card.image
        else part.hidden = true
      }
    }
    if (card.available === false) node.dataset.soldOut = ''
    return node
  }

  const states = new WeakMap() // of slots
  const met = new WeakMap() // exposures of elements

  const fill = slot => refill(slot).catch(() => {})

  async function refill(slot) {
    const { cartwheel: placement, limit = 6, category, product, exclude, query, resultCount } = slot.dataset
    const state = states.get(slot) || { asked: 0, filters: [], query }
    states.set(slot, state)
    const asked = ++state.asked
    const about = words(product)
    const context = [...seen.filter(id => !about.includes(id)), ...about]
    const q = state.query
    const above = slots().slice(0, slots().indexOf(slot)).flatMap(one => states.get(one)?.ids || [])
    const isSearch = placement === 'search'
    const body = await (isSearch
      ? ask('/v1/search', { q, filter: state.filters, cards: true, limit, context })
      : ask('/v1/recommendations', { placement, category, exclude: [...about, ...words(exclude), ...above], cards: true, limit, context }))
    if (asked !== state.asked || !slot.isConnected) return
    const cards = list(body?.items).map(shown).filter(card => card && (isSearch || card.available !== false))
    if (isSearch && state.told !== q) {
      state.told = q
      track('search', { query: q, result_count: cards.length ? body.total : resultCount ?? body?.total })
    }
    // Nobody loses what they are about to press; that nothing was found is the page's to say.
    const focused = slot.matches(':focus-within')
    if (!state.ids && (focused || !cards.length) || !body) return
    const template = slot.querySelector('template')
    const nodes = cards.map(card => draw(template?.content.firstElementChild, card))
    const items = slot.querySelector('[data-items]')
    const place = items || (template ? slot : make('ul', 'cartwheel-items'))
    const spot = all('[data-cartwheel-item]', slot).findIndex(node => node.contains(document.activeElement))
    // What stood here holds the place, once something is painted.
    if (performance.getEntriesByType('paint').length) slot.style.minHeight = `${slot.getBoundingClientRect().height}px`
    place.replaceChildren(...(place === slot ? [template] : []), ...nodes)
    if (!items && place !== slot) slot.replaceChildren(place)
    state.ids = cards.map(card => card.id)
    ;(nodes[spot]?.querySelector('a') || nodes[spot])?.focus()
    nodes.forEach((node, index) => watch(node, body, cards[index], placement))
    if (isSearch) drawChoices(slot, state, body)
    slot.dataset.filled = body.arm
  }

  function watch(node, body, card, placement) {
    if (!isText(body.decision)) return // not on record
    const fields = { decision_id: body.decision, product_id: card.id, position: card.position, placement }
    met.set(node, { fields })
    node.dataset.cartwheelItem = ''
    observer?.observe(node)
  }

  function drawChoices(slot, state, body) {
    const choice = (text, act) => {
      const button = make('button', 'cartwheel-chip', text)
      const onclick = () => {
        act()
        fill(slot)
      }
      return Object.assign(button, { type: 'button', onclick })
    }
    const named = (name, values) => list(values).filter(one => isText(one?.[name]))
    // Prices have no label but a range, 1000-2999.
    const said = (name, { label, value }) => name === 'price'
      ? value.split('-').map(end => end && price({ price_minor: end })).join(' – ') : label || value
    const put = (name, ...nodes) => all(`[data-cartwheel-${name}]`).forEach(box => box.replaceChildren(...nodes))
    const pressed = document.activeElement.dataset.filter
    put('total', body.total ?? '')
    put('chips', ...named('value', body.chips).map(chip => choice(said(chip.name, chip) + ' ×', () => {
      state.query = chip.query
      state.filters = list(chip.filters)
    })))
    put('facets', ...named('name', body.facets).map(facet => {
      const group = make('div', 'cartwheel-facet')
      group.append(make('b', '', facet.name))
      set(group, { role: 'group', 'aria-label': facet.name })
      for (const one of named('value', facet.values)) {
        const filter = `${facet.name}:${one.value}`
        const button = choice(`${said(facet.name, one)} (${one.count})`, () => {
          const others = state.filters.filter(other => other !== filter)
          state.filters = one.selected ? others : [...others, filter]
        })
        set(button, { 'aria-pressed': !!one.selected, 'data-filter': filter })
        group.append(button)
      }
      return group
    }))
    all('[data-filter]').find(button => button.dataset.filter === pressed)?.focus()
  }

  let refreshing = 0
  async function fillAll() {
    for (const slot of slots()) await fill(slot)
  }
  function refreshSoon() {
    clearTimeout(refreshing)
    refreshing = setTimeout(fillAll, 30)
  }

  // ---- What is seen and pressed

  const observer = window.IntersectionObserver && new IntersectionObserver(entries => {
    for (const { target, intersectionRatio, intersectionRect } of entries) {
      const one = met.get(target)
      clearTimeout(one.timer)
      const half = intersectionRatio >= 0.5 || intersectionRect.height > innerHeight / 2
      if (half) one.timer = setTimeout(expose, 500, target)
    }
  }, { threshold: [0.1, 0.2, 0.3, 0.4, 0.5] })

  function expose(node) {
    const one = met.get(node)
    if (one.told || document.hidden || !node.isConnected) return
    one.told = true
    observer?.unobserve(node)
    track('exposure', one.fields)
  }

  function lookAgain() {
    observer?.disconnect()
    all('[data-cartwheel-item]').forEach(node => met.get(node)?.told || observer?.observe(node))
  }

  function tell(node) {
    const fields = { event_id: node.dataset.eventId }
    for (const name of [...TEXTS, ...NUMBERS]) {
      fields[name] = node.dataset[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())]
    }
    track(node.dataset.cartwheelTrack, fields)
  }

  // A page whose own script answered the press stays, and asks again.
  const stays = event => setTimeout(() => event.defaultPrevented && refreshSoon())

  function onPress(event) {
    const near = selector => event.target.closest?.(selector)
    const said = near('[data-cartwheel-consent]')
    if (said) return consent(said.dataset.cartwheelConsent === 'granted')
    if (event.button > 1 || !near('a, button')) return
    const item = near('[data-cartwheel-item]')
    const own = near('a[data-cartwheel-track], button[data-cartwheel-track]')
    if (met.has(item)) {
      expose(item)
      track('click', met.get(item).fields)
    }
    if (own) tell(own)
    if (own || item) stays(event)
  }

  function onSubmit(event) {
    if (!event.target.matches('form[data-cartwheel-track]')) return
    tell(event.target)
    stays(event)
  }

  const told = new WeakSet()
  function scan() {
    // A page gone back to was told of before.
    const again = performance.getEntriesByType('navigation')[0]?.type === 'back_forward'
    for (const node of all('[data-cartwheel-track]:not(a, button, form)')) {
      if (told.has(node)) continue
      told.add(node)
      if (!again) tell(node)
      else if (node.dataset.productId) remember(node.dataset.productId)
    }
    all('input[data-cartwheel-search]:not([role])').forEach(suggest)
  }

  // ---- Instant search: a combobox with a list of links

  function suggest(input, number) {
    const label = settings.suggestions || 'Suggestions'
    const box = input.parentElement
    const options = make('div', 'cartwheel-list')
    const status = make('span', 'cartwheel-status')
    let due, body
    let asked = 0
    let at = -1
    set(options, { id: `cartwheel-list-${number}`, role: 'listbox', 'aria-label': label })
    set(status, { role: 'status' })
    set(input, { role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list', 'aria-controls': options.id })
    if (getComputedStyle(box).position === 'static') box.style.position = 'relative'
    box.append(options, status)
    show([])

    function show(nodes) {
      options.replaceChildren(...nodes)
      options.hidden = !nodes.length
      status.textContent = nodes.length ? `${label}: ${nodes.length}` : ''
      set(input, { 'aria-expanded': nodes.length > 0 })
      choose(-1)
    }

    function choose(place) {
      at = place
      all('a', options).forEach((node, index) => set(node, { 'aria-selected': index === at }))
      const node = options.children[at]
      node?.scrollIntoView({ block: 'nearest' })
      if (node) set(input, { 'aria-activedescendant': node.id })
      else input.removeAttribute('aria-activedescendant')
    }

    function close() {
      asked++
      clearTimeout(due)
      show([])
    }

    function option(text, link, card) {
      const node = make('a', 'cartwheel-option')
      if (card?.image) node.append(Object.assign(make('img'), { src: card.image, alt: '' }))
      node.append(make('span', '', text), make('span', 'cartwheel-price', card?.price))
      set(node, { role: 'option', tabindex: -1, href: link })
      return node
    }

    function searchFor(text) {
      const target = new URL(input.form?.action || location)
      target.searchParams.set(input.name || 'q', text)
      return target
    }

    async function open() {
      const q = input.value.trim()
      if (q.length < 2) return close()
      const mine = ++asked
      const [hints, found] = await Promise.all([
        ask('/v1/suggest', { q }),
        ask('/v1/search', { q, limit: 5, cards: true, context: seen })
      ])
      if (mine !== asked) return
      body = found
      const texts = values => list(values).map(one => [one, one?.text, one?.query, one?.category, one?.name].find(isText)).filter(Boolean)
      const cards = list(found?.items).map(shown).filter(card => card?.link)
      const nodes = cards.map(card => option(card.title, card.link, card))
      nodes.forEach((node, index) => watch(node, found, cards[index], 'search'))
      nodes.unshift(
        ...texts(hints?.queries).slice(0, 4).map(text => option(text, searchFor(text))),
        ...texts(hints?.categories).slice(0, 2).map(text => option(text, fillIn(settings.categoryUrl, text) || searchFor(text)))
      )
      nodes.forEach((node, index) => { node.id = `${options.id}-${index}` })
      show(nodes)
    }

    input.addEventListener('input', () => {
      clearTimeout(due)
      due = setTimeout(open, 120)
    })
    input.addEventListener('blur', close)
    input.addEventListener('keydown', event => {
      const count = options.children.length + 1
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (event.isComposing) return
      if (step && options.hidden) open()
      else if (step) choose(((at + 1 + step + count) % count) - 1)
      else if (event.key === 'Enter' && at >= 0) options.children[at].click()
      else if (event.key === 'Escape' && !options.hidden) close()
      else return
      event.preventDefault()
    })
    options.addEventListener('mousedown', event => event.preventDefault()) // the input keeps the focus
    options.addEventListener('click', event => {
      if (met.has(event.target.closest('a'))) track('search', { query: input.value.trim(), result_count: body.total })
    })
  }

  // ---- The page

  function addLook() {
    const sheet = new CSSStyleSheet()
    // In a layer, so that the shop's own rules win.
    sheet.replaceSync(`@layer cartwheel{
      .cartwheel-items{display:grid;grid-template-columns:repeat(auto-fill,minmax(9em,1fr));gap:1em;margin:0;padding:0;list-style:none}
      .cartwheel-item a{display:grid;gap:.3em;color:inherit}
      .cartwheel-item img{width:100%;aspect-ratio:1;object-fit:cover}
      .cartwheel-title{height:2.6em;line-height:1.3;overflow:hidden}
      .cartwheel-list{position:absolute;z-index:50;top:100%;left:0;right:0;background:Canvas;color:CanvasText;border:1px solid}
      .cartwheel-option{display:flex;gap:.6em;align-items:center;padding:.5em;color:inherit}
      .cartwheel-option img{width:2.4em}
      .cartwheel-option .cartwheel-price{margin-left:auto}
      .cartwheel-option[aria-selected=true]{background:Highlight;color:HighlightText}
      .cartwheel-status{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}`)
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  }

  // Nothing that goes wrong here may reach the page's own script.
  const quiet = act => (...given) => {
    try { act(...given) } catch {}
  }

  const cartwheel = {
    consent: quiet(consent),
    customer: quiet(id => {
      customer = id ? clean(id) : null
      refreshSoon()
    }),
    track: quiet((kind, fields) => {
      track(kind, Object(fields))
      if (WISHES.includes(kind)) refreshSoon()
    }),
    refresh: quiet(() => {
      scan()
      fillAll()
    }),
    push: quiet(([name, ...given]) => cartwheel[name](...given))
  }

  const start = quiet(() => {
    const on = (target, name, act) => target.addEventListener(name, quiet(act), true)
    settle()
    quiet(addLook)()
    scan()
    window.cartwheel = cartwheel
    list(early).forEach(cartwheel.push)
    fillAll()
    later(0)
    on(document, 'click', onPress)
    on(document, 'auxclick', onPress)
    on(document, 'submit', onSubmit)
    on(document, 'visibilitychange', () => {
      if (document.hidden) return leave()
      later(0)
      lookAgain()
    })
    on(window, 'pagehide', leave)
    on(window, 'pageshow', event => {
      if (!event.persisted) return
      // Back from memory: full slots stay as they were left.
      settle()
      slots().filter(slot => !states.get(slot)?.ids).forEach(fill)
      lookAgain()
      later(0)
    })
    on(window, 'storage', settle)
    on(window, 'online', () => {
      pause = 0
      later(0)
    })
    on(window, 'resize', () => slots().forEach(slot => { slot.style.minHeight = '' }))
  })
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start)
  else start()
})()
