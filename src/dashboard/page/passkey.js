/** The passkey step as the API tells it, with `ends`; none outside it. */
let step = null;
let stepOf = null;

const PASSKEY = '/connection/passkey';

/** A status that speaks of the passkey; a link that stays may be under it. */
function wantsPasskey(status) {
  return status.state === 'waiting_passkey' || /passkey/.test(status.userAction ?? '');
}

async function refreshPasskey(status) {
  if (!wantsPasskey(status)) {
    step = null;
    stepOf = null;
    return;
  }
  if (right !== 'manage' || stepOf === status.generation) return;
  stepOf = status.generation;
  try {
    setStep((await call('GET', PASSKEY)).data);
  } catch (error) {
    if (error.status !== 404) failed(error);
  }
}

function setStep(data) {
  const fresh = step?.stage !== data.stage;
  step = { ...data, ends: data.expiresIn ? ends(data) : null };
  if (fresh) {
    at('answer').value = '';
    fault(at('answer-error'), '');
    fault(at('confirm-error'), '');
    if (step.code) announce(`${word('passkeyCompare')} ${[...step.code].join(' ')}`);
  }
  render();
}

function renderPasskey(status) {
  const wanted = wantsPasskey(status);
  const stage = right === 'manage' ? step?.stage : 'reader';
  show(at('passkey'), wanted && stage !== 'linking');
  for (const name of ['reader', 'challenge', 'checking', 'confirm']) {
    show(at(`passkey-${name}`), stage === name);
  }
  show(at('passkey-cancel'), stage === 'challenge' || stage === 'confirm');
  if (stage === 'challenge') {
    // Only an address on the web becomes a link.
    if (/^https?:\/\//.test(step.page)) at('passkey-page').href = step.page;
    say(at('passkey-page'), step.page);
    if (at('script').value !== step.script) at('script').value = step.script;
  }
  if (stage === 'confirm') say(at('confirm-code'), step.code);
}

function tickPasskey() {
  const left = step?.ends ? word('passkeyLeft', { time: clock(step.ends - performance.now()) }) : '';
  say(at('passkey-left'), left);
}

async function answer() {
  const field = at('answer');
  let credential;
  try {
    credential = JSON.parse(field.value);
  } catch {
    return fault(at('answer-error'), word('passkeyNoJson'), field);
  }
  fault(at('answer-error'), '', field);
  await further('POST', PASSKEY, credential, at('answer-error'));
}

/** Takes the step further, and tells beside it when that is refused. */
async function further(method, path, body, error) {
  try {
    const { data } = await call(method, path, body);
    if (data) setStep(data);
  } catch (refusal) {
    if (!keyRefused(refusal)) fault(error, refusal.message);
  }
}

function listenPasskey() {
  at('script-copy').addEventListener('click', () => copy(at('script-copy'), step.script));
  at('script').addEventListener('focus', () => at('script').select());
  at('answer-form').addEventListener('submit', (event) => {
    event.preventDefault();
    busy(event.submitter ?? at('answer-form').querySelector('button'), null, answer);
  });
  const confirmError = at('confirm-error');
  at('confirm').addEventListener('click', () =>
    busy(at('confirm'), null, () => further('POST', `${PASSKEY}/confirm`, undefined, confirmError)),
  );
  at('passkey-cancel').addEventListener('click', () => {
    const error = step?.stage === 'confirm' ? confirmError : at('answer-error');
    busy(at('passkey-cancel'), null, () => further('DELETE', PASSKEY, undefined, error));
  });
}
