/** Pixels of the picture's side: twice what is shown, for fine screens. */
const QR_PIXELS = 528;

/** The QR code that is shown: `{update, ends}`. */
let qr = null;
/** The pairing code that is shown: `{code, number, update, ends}`. */
let code = null;
/** Whether the form for another number is open beside a link. */
let otherOpen = false;

/** How long a code is good for, by this machine's own clock. */
function ends(data) {
  return performance.now() + Number.parseInt(data.expiresIn, 10) * 1000;
}

/** Fetches what is new of the codes that the status tells of. */
function refreshCodes(status) {
  if (!status.hasQRCode) forgetQr();
  else if (qr?.update !== status.lastQRUpdate) fetchQr(status.lastQRUpdate);
  if (!status.hasPairingCode) code = null;
  else if (code?.update !== status.lastPairingUpdate) fetchCode(status.lastPairingUpdate);
}

/** A code of a moment ago is no code: no picture of it stays. */
function forgetQr() {
  qr = null;
  at('qr-image').removeAttribute('src');
}

async function fetchQr(update) {
  const asked = { update, ends: null };
  qr = asked;
  const data = await codeFrom(`/connection/qr?format=dataurl&size=${QR_PIXELS}`);
  if (qr !== asked) return;
  if (!data) {
    forgetQr();
    return render();
  }
  asked.ends = ends(data);
  at('qr-image').src = data.dataUrl;
  render();
}

async function fetchCode(update) {
  const asked = { ...code, update };
  code = asked;
  const data = await codeFrom('/connection/pairing');
  if (code === asked && data) showCode(data);
}

/** Its data; nothing when the code is gone by now, which the status tells next. */
async function codeFrom(path) {
  try {
    return (await call('GET', path)).data;
  } catch (error) {
    if (error.status !== 404) failed(error);
    return null;
  }
}

function showCode(data) {
  const fresh = code?.code !== data.pairingCode;
  code = {
    code: data.pairingCode,
    number: data.phoneNumber,
    update: data.timestamp,
    ends: ends(data),
  };
  if (fresh) announce(word('codeSaid', { code: [...data.pairingCode].join(' ') }));
  render();
}

function renderPairing(status) {
  const linked = status.jid !== null;
  const passkey = status.state === 'waiting_passkey';
  const coming = ['linking', 'starting', 'stopping'].includes(status.state);
  const paused = status.state === 'paused' && linked;
  show(at('link'), !passkey && !coming && !paused);
  say(at('link-title'), word(linked ? 'otherTitle' : 'linkTitle'));
  const open = !linked || otherOpen || Boolean(code?.code);
  show(at('link-toggle'), linked && !code?.code);
  at('link-toggle').setAttribute('aria-expanded', String(open));
  say(at('link-toggle'), word(open ? 'otherClose' : 'otherOpen'));
  show(at('link-body'), open);
  show(at('replace-hint'), linked && !code?.code);
  say(at('pair-title'), word(code?.code ? 'pairOther' : 'pairTitle'));
  show(at('qr'), Boolean(qr?.ends) && !linked);
  at('qr-image').alt = word('qrAlt');
  show(at('code-box'), Boolean(code?.code));
  show(at('use-qr'), !linked);
  if (code?.code) {
    say(at('code'), code.code);
    say(at('code-for'), word('codeFor', { number: code.number }));
  }
}

function tickPairing() {
  const left = (shown, good, gone) => {
    const ms = shown.ends - performance.now();
    return ms > 0 ? word(good, { time: clock(ms) }) : word(gone);
  };
  if (qr?.ends) say(at('qr-left'), left(qr, 'qrLeft', 'qrNew'));
  at('qr').classList.toggle('spent', Boolean(qr?.ends) && qr.ends <= performance.now());
  if (code?.ends) say(at('code-left'), left(code, 'codeLeft', 'codeNew'));
}

async function pair() {
  const field = at('phone');
  fault(at('phone-error'), '', field);
  try {
    const replace = status.jid !== null;
    const body = { phoneNumber: field.value, ...(replace && { replace }) };
    const answer = await call('POST', '/connection/pairing', body);
    field.value = '';
    showCode(answer.data);
  } catch (error) {
    if (!keyRefused(error)) fault(at('phone-error'), error.message, field);
  }
}

function listenPairing() {
  at('pair-form').addEventListener('submit', (event) => {
    event.preventDefault();
    busy(at('pair'), 'pairing', pair);
  });
  at('link-toggle').addEventListener('click', () => {
    otherOpen = !otherOpen;
    render();
    if (otherOpen) at('phone').focus();
  });
  at('code-copy').addEventListener('click', () => copy(at('code-copy'), code.code));
  // Nothing is linked then, so there is nothing to lose.
  at('use-qr').addEventListener('click', () => act(at('use-qr'), 'disconnect'));
}
