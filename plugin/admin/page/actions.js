/** What can be changed from here, for those who have the token. Without one nothing of it is in the page. */
import { bar, byId, el } from './dom.js';
import { formatBytes, percent, plural } from './format.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {{ digest: string, size: number, bytes_present: number, state: string }} PullStep */

const LOCKED = 'Reads only. To act from here, use the token of admin.token_file.';

/** @param {Store} store */
export async function showActions(store) {
  const { token } = await (await fetch('/api/v1/session')).json();
  const line = byId('token-line');
  if (token === 'none_set') {
    line.textContent = 'Reads only. To act from here, set admin.token_file on this node.';
    return;
  }
  line.textContent = LOCKED;
  const unlock = byId('unlock');
  unlock.hidden = false;
  unlock.addEventListener('click', () => (store.token === undefined ? openDialog() : lock(store)));
  byId('token-cancel').addEventListener('click', () => dialog().close());
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void tryToken(store);
  });
}

function dialog() {
  return /** @type {HTMLDialogElement} */ (byId('token-dialog'));
}

function input() {
  return /** @type {HTMLInputElement} */ (byId('token-input'));
}

function openDialog() {
  input().value = '';
  byId('token-problem').textContent = '';
  dialog().showModal();
}

/** @param {Store} store */
async function tryToken(store) {
  const token = input().value.trim();
  const problem = byId('token-problem');
  try {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await (await fetch('/api/v1/session', { headers })).json();
    if (answer.token !== 'valid') {
      problem.textContent = 'This node has another token.';
      return;
    }
  } catch {
    problem.textContent = 'The node does not answer.';
    return;
  }
  store.token = token;
  dialog().close();
  drawActions(store);
}

/** @param {Store} store */
function lock(store) {
  store.token = undefined;
  drawActions(store);
}

/** @param {Store} store */
function drawActions(store) {
  const isOpen = store.token !== undefined;
  byId('token-line').textContent = isOpen ? 'Actions are unlocked in this tab.' : LOCKED;
  byId('unlock').textContent = isOpen ? 'Forget the token' : 'Use a token';
  byId('actions').hidden = !isOpen;
  byId('actions-body').replaceChildren(...(isOpen ? [pullForm(store)] : []));
}

/** @param {Store} store */
function pullForm(store) {
  const reference = /** @type {HTMLInputElement} */ (
    el('input', {
      type: 'text',
      name: 'ref',
      placeholder: 'docker.io/library/nginx:1.27',
      'aria-label': 'Image reference',
      required: true,
      autocomplete: 'off',
      spellcheck: 'false',
    })
  );
  const button = /** @type {HTMLButtonElement} */ (el('button', { type: 'submit' }, 'Bring it here'));
  const progress = el('div.progress', { role: 'status' });
  const form = el(
    'form.action-form',
    el('span', `Image into the cache of ${store.node?.name ?? 'this node'}`),
    reference,
    button,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    button.disabled = true;
    void pull(store, reference.value.trim(), progress).finally(() => {
      button.disabled = false;
    });
  });
  return el('div', form, progress);
}

/** @param {Store} store @param {string} ref @param {HTMLElement} place */
async function pull(store, ref, place) {
  place.replaceChildren(el('p.quiet', 'Asking the registry…'));
  try {
    const answer = await fetch('/api/v1/pull', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${store.token ?? ''}` },
      body: JSON.stringify({ ref }),
    });
    if (!answer.ok || answer.body === null) throw new Error((await answer.json()).error.message);
    await showSteps(answer.body, place);
  } catch (error) {
    place.replaceChildren(
      el('p.problem', `It did not come: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body @param {HTMLElement} place */
async function showSteps(body, place) {
  /** @type {Map<string, PullStep>} */ const blobs = new Map();
  let isDone = false;
  for await (const line of linesOf(body)) {
    if (line.kind === 'failed') throw new Error(line.message);
    if (line.kind === 'done') isDone = true;
    if (line.kind === 'blob') blobs.set(line.digest, line);
    const all = [...blobs.values()].reduce((sum, blob) => sum + blob.size, 0);
    const here = [...blobs.values()].reduce((sum, blob) => sum + Math.min(blob.size, blob.bytes_present), 0);
    const share = isDone ? 100 : percent(here, all);
    const text = isDone
      ? `It is here: ${formatBytes(all)} in ${plural(blobs.size, 'blob')}.`
      : `${formatBytes(here)} of ${formatBytes(all)}`;
    place.replaceChildren(bar([{ share, kind: isDone ? 'good' : 'accent' }], `${share} %`), el('p.quiet', text));
  }
  if (!isDone) throw new Error('The answer was cut off');
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body @returns {AsyncGenerator<any>} */
async function* linesOf(body) {
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}
