// A page fix in test, on a shop's own product page: put
// <div data-cartwheel-block data-product="ID"></div> where it is to stand. Beside
// storefront.js, whose consent, visitor and events it uses. Texts are shown as texts;
// without consent, late or in doubt the page stays as it is. See docs/storefront.md.
(() => {
  'use strict'
  const script = document.currentScript
  if (!script?.dataset.key) return
  const api = (script.dataset.api || new URL(script.src).origin).replace(/\/+$/, '')
  const timeLimit = +script.dataset.timeout || 800
  const LONGEST_WAIT = 3000 // for storefront.js; then the page has been read without it
  const SEEN = 500 // milliseconds in view, as for recommendations

  const isText = value => typeof value === 'string' && value !== ''
  const make = (tag, name = '', text = '') =>
    Object.assign(document.createElement(tag), { className: name, textContent: text })

  // Kept by storefront.js, and only with consent.
  function visitor() {
    try { return JSON.parse(localStorage.getItem('cartwheel.visitor')).id } catch { return null }
  }

  async function ask(product) {
    const query = new URLSearchParams({ key: script.dataset.key, product, visitor: visitor() })
    if (script.dataset.customer) query.set('customer', script.dataset.customer)
    const answer = await fetch(`${api}/v1/page-block?${query}`, {
      credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', signal: AbortSignal.timeout(timeLimit)
    })
    return answer.ok ? answer.json() : null
  }

  function draw({ heading, lines }) {
    const node = make('section', 'cartwheel-block')
    node.append(make('h3', '', heading))
    const said = lines.filter(one => isText(one?.text))
    const plain = said.filter(one => !isText(one.question))
    if (plain.length) {
      const list = node.appendChild(make('ul'))
      for (const one of plain) list.append(make('li', '', one.text))
    }
    const asked = said.filter(one => isText(one.question))
    if (asked.length) {
      const list = node.appendChild(make('dl'))
      for (const one of asked) list.append(make('dt', '', one.question), make('dd', '', one.text))
    }
    return node
  }

  // Told once, when half of it, or half a screen of it, was in view for a while.
  function watch(node, decision) {
    let timer = 0
    const observer = new IntersectionObserver(entries => {
      const { intersectionRatio, intersectionRect } = entries[entries.length - 1]
      clearTimeout(timer)
      if (intersectionRatio >= 0.5 || intersectionRect.height > innerHeight / 2) timer = setTimeout(tell, SEEN)
    }, { threshold: [0.1, 0.25, 0.5] })
    function tell() {
      if (document.hidden || !node.isConnected || !visitor()) return
      observer.disconnect()
      window.cartwheel.track('exposure', { decision_id: decision, placement: 'page_block' })
    }
    document.addEventListener('visibilitychange', () => {
      observer.unobserve(node)
      observer.observe(node)
    })
    observer.observe(node)
  }

  async function fill(slot) {
    const { product } = slot.dataset
    if (!isText(product) || !visitor()) return
    const answer = await ask(product).catch(() => null)
    const { block, decision } = Object(answer)
    // Whoever took consent back meanwhile sees the page as it is.
    if (!isText(decision) || !isText(block?.heading) || !Array.isArray(block.lines) || !visitor()) return
    const node = draw(block)
    slot.replaceChildren(node)
    if (window.IntersectionObserver) watch(node, decision)
  }

  const all = () => document.querySelectorAll('[data-cartwheel-block]').forEach(slot => fill(slot).catch(() => {}))
  const since = Date.now()
  const start = () => {
    if (window.cartwheel?.refresh) all()
    else if (Date.now() - since < LONGEST_WAIT) setTimeout(start, 50)
  }
  start()
})()
