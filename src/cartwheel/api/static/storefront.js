// Cartwheel on a shop's own pages; see docs/storefront.md. What is late, wrong or
// missing leaves the page as it was.
(() => {
  'use strict'
  const script = document.currentScript
  const early = window.cartwheel
  if (!script?.dataset.key || early?.refresh) return // no key, or loaded twice

  const settings = script.dataset
  const more = settings.more || 'Show more'
  const api = (settings.api || new URL(script.src).origin).replace(/\/+$/, '')
  const OPEN = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' }
  const WISHES = ['view', 'add_to_cart', 'click']
  const TEXTS = ['product_id', 'variant_id', 'placement', 'decision_id', 'query']
  const NUMBERS = ['result_count', 'quantity_units', 'position']
  const BATCH = 50 // 15 kB of the 64 a beacon carries

  const isText = value => typeof value === 'string' && value
  const list = value => (Array.isArray(value) ? value : [])
  const words = value => value?.match(/\S+/g) || []
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const slots = () => all('[data-cartwheel]')
  const clean = (value, most = 200) => String(value).replace(/\p{Cc}/gu, ' ').slice(0, most)
  const newId = () => crypto.getRandomValues(new Uint32Array(4)).join('-')
  const set = (node, values) => {
    for (const name in values) node.setAttribute(name, values[name])
    return node
  }
  const make = (tag, values, ...inside) => {
    const node = set(document.createElement(tag), values)
    node.append(...inside)
    return node
  }
  const button = (text, values, onclick) => Object.assign(make('button', { type: 'button', ...values }, text), { onclick })
  // Nothing that goes wrong here, now or later, may reach the page's own script.
  const quiet = act => (...given) => {
    try { return act(...given) } catch {}
  }
  const calm = act => (...given) => act(...given).catch(() => {})
  const on = (target, name, act) => target.addEventListener(name, quiet(act), true)

  // ---- Consent and memory

  // Each is quiet: a store may be full or forbidden.
  const memory = kind => ({
    get: quiet(name => JSON.parse(window[kind].getItem('cartwheel.' + name))),
    set: quiet((name, value) => window[kind].setItem('cartwheel.' + name, JSON.stringify(value))),
    drop: quiet(name => window[kind].removeItem('cartwheel.' + name))
  })
  const device = memory('localStorage')
  const visit = memory('sessionStorage') // of one tab

  let agreed = false
  let visitor
  let customer = settings.customer || undefined
  let seen = [] // product ids of this visit, oldest first
  let queue = []

  // What this person said counts; else the page's word.
  function settle() {
    const page = settings.consent
    const said = device.get('consent')
    const word = said || !navigator.globalPrivacyControl && page
    agreed = word === 'granted' && page !== 'denied'
    if (agreed) {
      const old = device.get('visitor')
      if (!isText(old?.id) || !(Date.now() - old.since < 395 * 864e5)) device.set('visitor', { id: newId(), since: Date.now() })
      visitor = device.get('visitor')?.id // none where storing is forbidden
      const before = visit.get('seen')
      if (Date.now() - before?.at < 18e5) remember(...list(before.ids).filter(isText), ...seen)
      const waiting = list(visit.get('queue')).filter(event => isText(event?.event_id))
      queue = [...without(waiting, queue), ...queue]
      keep()
    } else {
      queue = queue.filter(event => !event.visitor_id && !event.customer_id)
      device.drop('visitor')
      visit.drop('seen')
      visit.drop('queue')
    }
    for (const box of all('[data-cartwheel-ask]')) box.hidden = !!(said || page)
  }

  const without = (events, others) => events.filter(event => !others.some(one => one.event_id === event.event_id))

  function remember(...ids) {
    for (const id of ids) seen = [...seen.filter(one => one !== id), id].slice(-20)
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
    if (agreed) Object.assign(event, { visitor_id: visitor, customer_id: customer })
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
      if (/^5|408|429/.test(answer.status)) throw answer
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
    queue = without(queue, batch)
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

  // The answer, or nothing when it is late or refused.
  const ask = calm(async (path, fields) => {
    const query = { ...fields, ...(agreed && { visitor, customer }) }
    const answer = await fetch(address(path, query), { ...OPEN, signal: AbortSignal.timeout(+settings.timeout || 800) })
    return answer.ok && answer.json()
  })

  const safe = quiet(text => /^https?:$/.test(new URL(text, document.baseURI).protocol) && text)

  const fillIn = (pattern, value) => safe(pattern?.replace(/{\w+}/, encodeURIComponent(value)))

  const price = quiet(card => {
    const style = { style: 'currency', currency: card.currency || settings.currency }
    const format = new Intl.NumberFormat(document.documentElement.lang || [], style)
    const money = format.format(card.price_minor / 10 ** format.resolvedOptions().maximumFractionDigits)
    return card.from_price ? `${settings.from ?? 'from'} ${money}` : money
  })

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

  const cardsOf = body => list(body?.items).map(shown).filter(Boolean)

  // ---- Slots

  // Where the shop gives no <template> of its own.
  const ownLook = () => make('li', { class: 'cartwheel-item' }, make('a', { 'data-link': '' },
    make('img', { 'data-image': '' }),
    ...['title', 'price'].map(name => make('span', { class: 'cartwheel-' + name, 'data-text': name }))))

  function draw(template, card) {
    const node = template ? document.importNode(template, true) : ownLook()
    for (const part of [node, ...all('*', node)]) {
      const { text, link, image } = part.dataset
      if (text) {
        part.textContent = isText(card[text]) || ''
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

  const notes = new WeakMap()

  // What is known of a node of the page.
  function noted(node) {
    if (!notes.has(node)) notes.set(node, {})
    return notes.get(node)
  }

  const fill = calm(async slot => {
    const { query, resultCount } = slot.dataset
    const isSearch = slot.dataset.cartwheel === 'search'
    const state = noted(slot)
    // Another object whenever something else is wished for.
    if (!state.wish || state.query !== query) state.wish = { q: state.query = query, filter: [] }
    const { wish } = state
    // A list that more was asked of stays.
    const stays = () => state.shelf?.longer === wish
    if (stays()) return
    const asked = state.asked = {}
    const [path, fields] = question(slot, wish)
    const body = await ask(path, fields)
    const old = state.shelf
    if (asked !== state.asked || !slot.isConnected || stays()) return
    const cards = cardsOf(body).filter(card => isSearch || card.available !== false)
    if (isSearch && state.told !== wish.q) {
      state.told = wish.q
      track('search', { query: wish.q, result_count: cards.length ? body.total : resultCount ?? body?.total })
    }
    // Nobody loses what they are about to press; that nothing was found is the page's to say.
    if (!body || !old && (!cards.length || slot.matches(':focus-within'))) return
    const nodes = drawAll(slot, body, cards)
    const spot = all('[data-cartwheel-item]', slot).findIndex(node => node.matches(':focus-within'))
    // What stood here holds the place, once something is painted.
    if (!old?.longer && performance.getEntriesByType('paint').length) slot.style.minHeight = `${slot.getBoundingClientRect().height}px`
    const place = shelve(slot, nodes)
    state.shelf = { wish, fields, place, ids: cards.map(card => card.id) }
    focusOn(nodes[spot])
    if (isSearch) {
      drawChoices(slot, state, body)
      old?.more?.forEach(node => node.remove())
      offerMore(slot, state.shelf, body)
    }
    slot.dataset.filled = body.arm
  })

  // Whom a slot asks, and what.
  function question(slot, wish) {
    const { cartwheel: placement, limit = 6, category, product, exclude } = slot.dataset
    const about = words(product)
    const context = [...seen.filter(id => !about.includes(id)), ...about]
    const always = { cards: true, limit, context }
    if (placement === 'search') return ['/v1/search', { ...wish, ...always }]
    const above = slots().slice(0, slots().indexOf(slot)).flatMap(one => noted(one).shelf?.ids || [])
    return ['/v1/recommendations', { placement, category, exclude: [...about, ...words(exclude), ...above], ...always }]
  }

  const drawAll = (slot, body, cards) => {
    const template = slot.querySelector('template')?.content.firstElementChild
    return cards.map(card => watch(draw(template, card), body, card, slot.dataset.cartwheel))
  }

  // Put items where those before were; tell where.
  function shelve(slot, nodes) {
    const template = slot.querySelector('template')
    let place = slot.querySelector('[data-items]') || template && slot
    if (!place) slot.replaceChildren(place = make('ul', { class: 'cartwheel-items', 'data-items': '' }))
    place.replaceChildren(...(place === slot ? [template] : []), ...nodes)
    return place
  }

  const focusOn = node => (node?.querySelector('a') || node)?.focus()

  // After a search's items: how many of all they are, and a button for the next.
  function offerMore(slot, shelf, body) {
    const { wish, fields, place, ids } = shelf
    let total, end, busy
    const count = make('p', { class: 'cartwheel-count', role: 'status' })
    const next = button(more, { class: 'cartwheel-more' }, calm(async () => {
      if (busy) return
      busy = true
      shelf.longer = wish
      // The same question, less what was forgotten meanwhile.
      const context = fields.context.filter(id => seen.includes(id))
      const body = await ask('/v1/search', { ...fields, context, offset: end })
      busy = false
      if (!body || body.arm === 'fallback' || shelf !== noted(slot).shelf) return
      const known = cardsOf(body)
      const cards = known.filter(card => !ids.includes(card.id))
      const nodes = drawAll(slot, body, cards)
      place.append(...nodes)
      ids.push(...cards.map(card => card.id))
      // Nobody is taken away from what they turned to meanwhile.
      if ([next, document.body].includes(document.activeElement)) focusOn(nodes[0])
      reach(known.length ? end + body.items.length : end, body)
    }))

    function reach(to, body) {
      end = to
      if (body.total > 0) total = body.total
      count.textContent = `${ids.length} ${settings.of || 'of'} ${total}`
      if (total <= end) next.remove()
    }

    reach(list(body.items).length, body)
    if (total > end) place.after(...shelf.more = [count, next])
  }

  function watch(node, body, card, placement) {
    if (isText(body.decision)) { // it is on record
      noted(node).met = { decision_id: body.decision, product_id: card.id, position: card.position, placement }
      node.dataset.cartwheelItem = ''
      observer.observe(node)
    }
    return node
  }

  function drawChoices(slot, state, body) {
    const choice = (text, values, wish) => button(text, { class: 'cartwheel-chip', ...values }, () => {
      state.wish = wish()
      fill(slot)
    })
    const named = (name, values) => list(values).filter(one => isText(one?.[name]))
    // Prices have no label but a range, 1000-2999.
    const said = (name, { label, value }) => name === 'price'
      ? value.replace('-', ' – ').replace(/\d+/g, end => price({ price_minor: end })) : label || value
    const put = (name, ...nodes) => all(`[data-cartwheel-${name}]`).forEach(box => box.replaceChildren(...nodes))
    const pressed = document.activeElement.dataset.filter
    put('total', body.total ?? '')
    put('chips', ...named('value', body.chips).map(chip => choice(said(chip.name, chip) + ' ×', {}, () => ({ q: chip.query, filter: list(chip.filters) }))))
    put('facets', ...named('name', body.facets).map(({ name, values }) =>
      make('div', { class: 'cartwheel-facet', role: 'group', 'aria-label': name }, make('b', {}, name), ...named('value', values).map(one => {
        const filter = `${name}:${one.value}`
        return choice(`${said(name, one)} (${one.count})`, { 'aria-pressed': !!one.selected, 'data-filter': filter }, () => {
          const others = state.wish.filter.filter(other => other !== filter)
          return { ...state.wish, filter: one.selected ? others : [...others, filter] }
        })
      }))
    ))
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

  const observer = new IntersectionObserver(entries => {
    for (const { target, intersectionRatio, intersectionRect } of entries) {
      const one = noted(target)
      clearTimeout(one.timer)
      if (intersectionRatio >= 0.5 || intersectionRect.height > innerHeight / 2) one.timer = setTimeout(expose, 500, target)
    }
  }, { threshold: [0.1, 0.2, 0.3, 0.4, 0.5] })

  function expose(node) {
    const one = noted(node)
    if (one.told || document.hidden || !node.isConnected) return
    one.told = true
    observer.unobserve(node)
    track('exposure', one.met)
  }

  function resume() {
    later(0)
    observer.disconnect()
    all('[data-cartwheel-item]').forEach(node => noted(node).told || observer.observe(node))
  }

  function tell(node) {
    const fields = { event_id: node.dataset.eventId }
    for (const name of [...TEXTS, ...NUMBERS]) {
      fields[name] = node.getAttribute('data-' + name.replace('_', '-'))
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
    const own = near('[data-cartwheel-track]:is(a, button)')
    const met = item && noted(item).met
    if (met) {
      expose(item)
      track('click', met)
    }
    if (own) tell(own)
    if (own || item) stays(event)
  }

  function onSubmit(event) {
    if (!event.target.matches('form[data-cartwheel-track]')) return
    tell(event.target)
    stays(event)
  }

  function scan() {
    // A page gone back to was told of before.
    const again = performance.getEntriesByType('navigation')[0]?.type === 'back_forward'
    for (const node of all('[data-cartwheel-track]:not(a, button, form)')) {
      if (noted(node).said) continue
      noted(node).said = true
      if (!again) tell(node)
      else if (node.dataset.productId) remember(node.dataset.productId)
    }
    all('input[data-cartwheel-search]:not([role])').forEach(suggest)
  }

  // ---- Instant search: a combobox with a list of links

  function suggest(input, number) {
    const label = settings.suggestions || 'Suggestions'
    const box = input.parentElement
    const options = make('div', { class: 'cartwheel-list', id: `cartwheel-list-${number}`, role: 'listbox', 'aria-label': label })
    const status = make('span', { class: 'cartwheel-status', role: 'status' })
    let due, body
    let asked = 0
    let at = -1
    set(input, { role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list', 'aria-controls': options.id })
    box.classList.add('cartwheel-search')
    box.append(options, status)
    show([])

    function show(nodes) {
      nodes.forEach((node, index) => { node.id = `${options.id}-${index}` })
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
      set(input, { 'aria-activedescendant': node?.id || '' })
    }

    function close() {
      asked++
      clearTimeout(due)
      show([])
    }

    const option = (text, href, { image, price = '' } = {}) =>
      make('a', { class: 'cartwheel-option', role: 'option', tabindex: -1, href },
        ...(image ? [make('img', { src: image, alt: '' })] : []),
        make('span', {}, text), make('span', { class: 'cartwheel-price' }, price))

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
      const texts = values => list(values).map(one => [one, one?.query, one?.category].find(isText)).filter(Boolean)
      show([
        ...texts(hints?.queries).slice(0, 4).map(text => option(text, searchFor(text))),
        ...texts(hints?.categories).slice(0, 2).map(text => option(text, fillIn(settings.categoryUrl, text) || searchFor(text))),
        ...cardsOf(found).filter(card => card.link).map(card => watch(option(card.title, card.link, card), found, card, 'search')),
        ...(found?.total > list(found.items).length ? [option(more, searchFor(q))] : [])
      ])
    }

    on(input, 'input', () => {
      clearTimeout(due)
      due = setTimeout(open, 120)
    })
    on(input, 'blur', close)
    on(input, 'keydown', event => {
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
    on(options, 'mousedown', event => event.preventDefault()) // the input keeps the focus
    on(options, 'click', event => {
      if (noted(event.target.closest('a')).met) track('search', { query: input.value.trim(), result_count: body.total })
    })
  }

  // ---- The page

  function addLook() {
    const sheet = new CSSStyleSheet()
    // In a layer, so that the shop's own rules win.
    sheet.replaceSync(`@layer cartwheel{
      .cartwheel-items{display:grid;grid:auto/repeat(auto-fill,minmax(9em,1fr));gap:1em;margin:0;padding:0;list-style:none}
      .cartwheel-item a{display:grid;gap:.3em;color:inherit}
      .cartwheel-item img{width:100%;aspect-ratio:1;object-fit:cover}
      .cartwheel-title{height:2.6em;line-height:1.3;overflow:hidden}
      .cartwheel-search{position:relative}
      .cartwheel-more{padding:.5em 1em}
      .cartwheel-list{position:absolute;z-index:50;inset:100% 0 auto;background:Canvas;color:CanvasText;border:1px solid}
      .cartwheel-option{display:flex;gap:.6em;align-items:center;padding:.5em;color:inherit}
      .cartwheel-option img{width:2.4em}
      .cartwheel-option .cartwheel-price{margin-left:auto}
      .cartwheel-option[aria-selected=true]{background:Highlight;color:HighlightText}
      .cartwheel-status{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}`)
    document.adoptedStyleSheets.push(sheet)
  }

  const cartwheel = {
    consent: quiet(consent),
    customer: quiet(id => {
      customer = id ? clean(id) : undefined
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
    settle()
    scan()
    window.cartwheel = cartwheel
    list(early).forEach(cartwheel.push)
    fillAll()
    later(0)
    on(document, 'click', onPress)
    on(document, 'auxclick', onPress)
    on(document, 'submit', onSubmit)
    on(document, 'visibilitychange', () => {
      document.hidden ? leave() : resume()
    })
    on(window, 'pagehide', leave)
    on(window, 'pageshow', event => {
      if (!event.persisted) return
      // Back from memory: full slots stay as they were left.
      settle()
      slots().filter(slot => !noted(slot).shelf).forEach(fill)
      resume()
    })
    on(window, 'storage', settle)
    on(window, 'online', () => {
      pause = 0
      later(0)
    })
    on(window, 'resize', () => slots().forEach(slot => { slot.style.minHeight = '' }))
    addLook()
  })
  document.readyState === 'loading' ? on(document, 'DOMContentLoaded', start) : start()
})()
