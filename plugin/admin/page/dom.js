/** Elements in one line each. Text goes in as text: nothing that another node says becomes markup. */

/**
 * @param {string} tag as `div.name.other`
 * @param {...(Node | string | Record<string, unknown> | null | false | undefined)} parts attributes as objects; children
 * @returns {HTMLElement}
 */
export function el(tag, ...parts) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const part of parts) {
    if (part === null || part === undefined || part === false) continue;
    if (typeof part === 'string' || part instanceof Node) element.append(part);
    else setAll(element, part);
  }
  return element;
}

/** @param {Element} element @param {Record<string, unknown>} attributes */
export function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) element.removeAttribute(name);
    else if (name.startsWith('on') && typeof value === 'function') {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** @template {HTMLElement} T @param {string} id @returns {T} */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no "${id}"`);
  return /** @type {T} */ (found);
}

/**
 * A bar of shares; each in percent of the whole width.
 * @param {{ share: number, kind?: string }[]} shares @param {string} label
 */
export function bar(shares, label) {
  const parts = shares.map(({ share, kind }) => {
    const part = document.createElement('i');
    if (kind) part.className = kind;
    part.style.width = `${Math.min(100, Math.max(0, share))}%`;
    // A little is not nothing.
    if (share > 0) part.style.minWidth = '2px';
    return part;
  });
  return el('div.bar', { role: 'img', 'aria-label': label }, ...parts);
}

/** @param {string} text @param {string} [kind] */
export function badge(text, kind) {
  return el(kind ? `span.badge.${kind}` : 'span.badge', text);
}
