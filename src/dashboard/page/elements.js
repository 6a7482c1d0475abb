/** Everything on the page by its id. */
const at = (id) => document.getElementById(id);

/**
 * Shows or hides something. Who had the focus in what vanishes goes on at the
 * state, not at the top of the page.
 */
function show(element, wanted) {
  const hides = !wanted && !element.hidden;
  const focused = hides && element.contains(document.activeElement);
  element.hidden = !wanted;
  if (focused) at('state-title').focus();
}

/** Sets a text only when it changes, so that a selection in it stays. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Tells who cannot see it. */
function announce(text) {
  say(at('live'), text);
}

/** An error beside the field that it is about. */
function fault(element, text, field) {
  say(element, text);
  if (!field) return;
  field.setAttribute('aria-invalid', String(text !== ''));
  if (text) field.focus();
}

/** Runs something once at a time; its button says meanwhile what is going on. */
async function busy(button, name, run) {
  if (button.getAttribute('aria-busy') === 'true') return;
  const usual = button.dataset.word;
  button.setAttribute('aria-busy', 'true');
  if (name) say(button, word(name));
  try {
    await run();
  } finally {
    button.removeAttribute('aria-busy');
    if (usual) say(button, word(usual));
  }
}

const COPIED_MS = 2500;

/** Copies a text; without the right to, or without TLS, by way of a selection. */
async function copy(button, text) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = copyBySelection(text);
  }
  const told = word(done ? 'copied' : 'copyFailed');
  say(button, told);
  announce(told);
  setTimeout(() => say(button, word(button.dataset.word)), COPIED_MS);
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.className = 'unseen';
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  focused?.focus();
  return done;
}

/** `62812*****89`, as walinkd's own log has it. */
function masked(number) {
  const shown = Math.min(Math.max(number.length - 4, 0), 7);
  const tail = Math.min(shown, 2);
  const head = shown - tail;
  const hidden = '*'.repeat(number.length - head - tail);
  return number.slice(0, head) + hidden + number.slice(number.length - tail);
}
