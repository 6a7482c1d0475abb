const LANGUAGE = 'walinkd-language';
const keyless = document.documentElement.dataset.entrance === 'peer';

const KINDS = {
  connected: 'good',
  starting: 'busy',
  connecting: 'busy',
  waiting_qr: 'busy',
  waiting_code: 'busy',
  waiting_passkey: 'busy',
  linking: 'busy',
  unknown: 'busy',
  degraded: 'warn',
  reconnecting: 'warn',
  logged_out: 'bad',
  replaced: 'bad',
  banned: 'bad',
  outdated: 'bad',
};

/** States in which there is nothing that could be built anew. */
const RECONNECTABLE = ['connected', 'degraded', 'reconnecting', 'replaced', 'banned', 'outdated', 'connecting', 'linking'];

let stream = null;
/** The last status that was told. */
let status = null;
/** What the caller may: `read` or `manage`. */
let right = null;
/** When the daemon was lost, and when it is tried again: `{at, next, why}`. */
let lost = null;
let heardAt = null;
let revealed = false;
let announced = '';
/** The key was only just typed in, and nobody knows whether it is one. */
let entering = false;

/** Follows the stream. */
function begin() {
  stream?.close();
  const mine = new Stream({
    opened(granted) {
      if (stream !== mine) return;
      const back = lost !== null;
      right = granted;
      lost = null;
      if (entering) enter();
      if (back) announce(word('back'));
      render();
      fetchEvents();
    },
    told(type, data) {
      if (stream !== mine) return;
      heardAt = new Date();
      if (type === 'status') setStatus(data);
      else if (type === 'gap') fetchEvents();
      else addEvent(data);
    },
    lost(error, ms) {
      if (stream !== mine) return;
      if (entering) return backToEntry(error.message);
      const first = lost === null;
      const why = error instanceof Refusal ? error.message : '';
      lost = { at: lost?.at ?? heardAt, next: performance.now() + ms, why };
      if (first) announce(word('lostTitle'));
      render();
    },
    refused(error) {
      if (stream === mine) backToEntry(error.message);
    },
  });
  stream = mine;
  mine.follow();
  render();
}

/** A key that was let in is kept. */
function enter() {
  entering = false;
  sessionStorage.setItem(KEY, apiKey);
  at('key').value = '';
  fault(at('entry-error'), '', at('key'));
  announced = '';
  render();
  at('state-title').focus();
}

/** Without a good key there is nothing to show. */
function backToEntry(why) {
  stream?.close();
  stream = null;
  if (keyless) {
    lost = { at: heardAt, next: null, why };
    return render();
  }
  apiKey = null;
  entering = false;
  sessionStorage.removeItem(KEY);
  status = null;
  lost = null;
  right = null;
  revealed = false;
  code = null;
  step = null;
  otherOpen = false;
  forgetQr();
  forgetEvents();
  for (const id of ['told', 'refused', 'live']) say(at(id), '');
  at('leave').close();
  render();
  at('key').focus();
  say(at('entry-error'), why);
  at('key').setAttribute('aria-invalid', String(why !== ''));
}

/** Whether it was the key that was refused: then nothing else matters. */
function keyRefused(error) {
  const refused = error.code === 'bad_key' && !keyless;
  if (refused) backToEntry(error.message);
  return refused;
}

function failed(error) {
  if (!keyRefused(error)) say(at('refused'), error.message);
}

function setStatus(data) {
  // What came of an order is news for as long as it was not followed by other.
  if (data.isConnected && !status?.isConnected) say(at('told'), '');
  if (data.jid !== status?.jid) otherOpen = false;
  status = data;
  refreshCodes(data);
  refreshPasskey(data);
  render();
}

/** An order without a body; `told` says what there is to say of its answer. */
async function act(button, name, told = () => '') {
  say(at('refused'), '');
  say(at('told'), '');
  await busy(button, null, async () => {
    try {
      say(at('told'), told(await call('POST', `/connection/${name}`)));
    } catch (error) {
      failed(error);
    }
  });
}

function leave() {
  at('leave').close();
  act(at('disconnect'), 'disconnect', ({ data }) => word(data.unlinkedAtWhatsApp ? 'left' : 'leftAlone'));
}

/** Draws everything anew from what is known. */
function render() {
  const inside = keyless || (apiKey !== null && !entering);
  show(at('entry'), !inside);
  show(at('board'), inside);
  show(at('forget'), inside && !keyless);
  at('board').classList.toggle('stale', lost !== null);
  say(at('enter'), word(entering ? 'entering' : 'enter'));
  renderLost();
  renderState();
  if (status) {
    renderPairing(status);
    renderPasskey(status);
  } else {
    show(at('link'), false);
    show(at('passkey'), false);
  }
  renderRight();
  tick();
}

function renderLost() {
  show(at('lost'), lost !== null);
  if (!lost) return;
  say(at('lost-since'), lost.at ? word('lostSince', { time: moment(lost.at) }) : word('lostBefore'));
  say(at('lost-why'), lost.why);
  show(at('lost-why'), lost.why !== '');
}

function renderState() {
  const state = status?.state ?? 'unknown';
  const kind = KINDS[state] ?? 'rest';
  const title = stateWord(state);
  at('state').dataset.kind = kind;
  at('mark').setAttribute('href', `#mark-${kind}`);
  say(at('state-title'), title);
  document.title = lost ? `${word('lostTitle')} · walinkd` : `${title} · walinkd`;
  const action = status?.userAction ? actionWord(status.userAction) : '';
  say(at('action'), action);
  say(at('reason'), reasonOf(status));
  renderHealth(status?.health ?? []);
  renderFacts();
  renderButtons();
  const told = status ? `${title}. ${action}` : '';
  if (told && told !== announced && !lost) announce(told);
  announced = told || announced;
}

/** Why it is as it is, unless that is said elsewhere on the page. */
function reasonOf(status) {
  const reason = status?.reason?.message;
  if (!reason || status.isConnected || status.lastDisconnect?.message === reason) return '';
  return status.health.some((warning) => warning.includes(reason)) ? '' : reason;
}

function renderHealth(warnings) {
  at('health').replaceChildren(
    ...warnings.map((warning) => {
      const item = document.createElement('li');
      item.textContent = warning;
      return item;
    }),
  );
}

function renderFacts() {
  const number = status?.jid ? status.phoneNumber : null;
  show(at('fact-number'), number !== null);
  if (number) say(at('number'), revealed ? number : masked(number));
  at('reveal').setAttribute('aria-pressed', String(revealed));
  at('reveal').setAttribute('aria-label', word('showNumber'));
  say(at('reveal'), word(revealed ? 'hide' : 'show'));
  const fact = (name, value) => show(at(`fact-${name}`), Boolean(value));
  fact('name', status?.pushName);
  say(at('name'), status?.pushName ?? '');
  fact('heard', status?.lastHeardAt);
  fact('next', status?.nextAttemptAt);
  const attempts = status?.attempts ?? 0;
  say(at('attempts'), attempts ? word('attempts', { count: attempts }) : '');
  fact('last', status?.lastDisconnect);
  say(at('last-why'), status?.lastDisconnect?.message ?? '');
  const facts = [...at('facts').children];
  show(at('facts'), facts.some((one) => !one.hidden));
  const { version, startedAt } = status ?? {};
  say(at('version'), version ? word('footer', { version, time: moment(startedAt) }) : '');
}

function renderButtons() {
  const state = status?.state;
  const linked = status?.jid != null;
  show(at('resume'), state === 'paused');
  show(at('pause'), status !== null && !['paused', 'stopping', 'starting'].includes(state));
  show(at('reconnect'), RECONNECTABLE.includes(state) && (linked || state === 'outdated' || state === 'banned'));
  show(at('disconnect'), linked);
}

/** What a caller may only read is greyed out, and why is said. */
function renderRight() {
  const reads = right === 'read';
  for (const control of document.querySelectorAll('[data-manage]')) {
    control.disabled = reads || lost !== null;
  }
  show(at('readonly'), reads);
  say(at('readonly'), word(keyless ? 'readonlyPeer' : 'readonlyKey'));
}

/** What changes with the time alone. */
function tick() {
  tickPairing();
  tickPasskey();
  if (lost) {
    const ms = lost.next === null ? 0 : lost.next - performance.now();
    say(at('lost-next'), ms > 0 ? word('lostNext', { time: clock(ms) }) : '');
  }
  if (!status) return say(at('since'), '');
  const { stateSince, lastHeardAt, nextAttemptAt, lastDisconnect } = status;
  setTime(at('since'), stateSince, word('since', { time: moment(stateSince), ago: ago(stateSince) }));
  if (lastHeardAt) setTime(at('heard'), lastHeardAt, moment(lastHeardAt));
  if (lastDisconnect) setTime(at('last-at'), lastDisconnect.at, moment(lastDisconnect.at));
  if (nextAttemptAt) {
    const ms = until(nextAttemptAt);
    say(at('next'), ms > 0 ? word('inTime', { time: clock(ms) }) : word('now'));
  }
}

function setLanguage(wanted) {
  language = wanted;
  document.documentElement.lang = wanted;
  for (const element of document.querySelectorAll('[data-word]')) {
    say(element, word(element.dataset.word));
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', word(element.dataset.label));
  }
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === wanted));
  }
  renderEvents();
  // Told in the old language already.
  announced = status ? `${stateWord(status.state)}. ${actionWord(status.userAction ?? '')}` : '';
  render();
}

function listen() {
  for (const button of document.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => {
      sessionStorage.setItem(LANGUAGE, button.dataset.language);
      setLanguage(button.dataset.language);
    });
  }
  at('entry-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = at('key').value.trim();
    if (!typed) return fault(at('entry-error'), word('noKey'), at('key'));
    // What cannot stand in a header never reaches walinkd.
    if (/[^\x21-\x7e]/.test(typed)) return fault(at('entry-error'), word('badKey'), at('key'));
    apiKey = typed;
    entering = true;
    fault(at('entry-error'), '', at('key'));
    begin();
  });
  at('forget').addEventListener('click', () => backToEntry(''));
  at('retry').addEventListener('click', () => (stream ? stream.retry() : begin()));
  addEventListener('online', () => stream?.retry());
  at('reveal').addEventListener('click', () => {
    revealed = !revealed;
    render();
  });
  for (const name of ['pause', 'resume']) {
    at(name).addEventListener('click', () => act(at(name), name));
  }
  at('reconnect').addEventListener('click', () =>
    act(at('reconnect'), 'reconnect', ({ message }) => message),
  );
  at('disconnect').addEventListener('click', () => at('leave').showModal());
  at('leave-no').addEventListener('click', () => at('leave').close());
  at('leave-yes').addEventListener('click', leave);
  at('older').addEventListener('click', () => busy(at('older'), null, olderEvents));
  listenPairing();
  listenPasskey();
}

listen();
const chosen = sessionStorage.getItem(LANGUAGE);
setLanguage(chosen in WORDS ? chosen : preferredLanguage());
if (keyless || apiKey) begin();
else at('key').focus();
setInterval(tick, 1000);
