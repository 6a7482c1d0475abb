// The passkey step with a real browser: the script that walinkd gives runs in
// the console of a page, as a person would run it, and asks Chromium's virtual
// authenticator. The page is served here, so the sandbox asks for this origin
// instead of WhatsApp's.
//
//   node passkey.mjs [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { launch, serve } from './lib/browser.mjs';
import { Daemon } from './lib/daemon.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { folder, options, play, step } from './lib/story.mjs';

const NUMBER = '6281234567890';
const LINK_SECONDS = 30;
const PATH = '/connection/passkey';

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A page with passkeys</title>
<h1>A page with passkeys</h1><pre id="console">(the console)</pre></html>`;

/** A tab with its console and an authenticator of its own. */
class Tab {
  static async open(browser, url) {
    const page = await browser.newPage();
    const requests = [];
    page.on('request', (request) => requests.push(request.url()));
    const printed = [];
    page.on('console', (message) => printed.push(message.text()));
    await page.goto(url);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Runtime.enable');
    await devtools.send('WebAuthn.enable');
    const tab = new Tab(page, devtools, printed, requests);
    devtools.on('Runtime.inspectRequested', ({ object, hints }) => {
      if ('copyToClipboard' in hints) tab.clipboard = object.value;
    });
    return tab;
  }

  constructor(page, devtools, printed, requests) {
    Object.assign(this, { page, devtools, printed, requests, clipboard: null });
  }

  async plugIn() {
    const { authenticatorId } = await this.devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return authenticatorId;
  }

  async unplug(authenticatorId) {
    await this.devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  }

  /** What WhatsApp's app does long before: the account gets its passkey. */
  async createPasskey() {
    return this.page.evaluate(async () => {
      const created = await navigator.credentials.create({
        publicKey: {
          rp: { id: 'localhost', name: 'A stand-in' },
          user: { id: new Uint8Array([1, 2, 3]), name: 'ayu', displayName: 'Ayu' },
          challenge: new Uint8Array(16),
          pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
          authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        },
      });
      const text = (buffer) =>
        btoa(String.fromCharCode(...new Uint8Array(buffer)))
          .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
      return { id: created.id, public_key: text(created.response.getPublicKey()) };
    });
  }

  /** Types a text into the console, and waits for what it evaluates to. */
  async console(expression) {
    this.clipboard = null;
    const { result, exceptionDetails } = await this.devtools.send('Runtime.evaluate', {
      expression,
      includeCommandLineAPI: true,
      userGesture: true,
      awaitPromise: true,
      returnByValue: true,
    });
    assert.equal(exceptionDetails, undefined);
    return result.value;
  }

  /** Puts what the console printed on the page, for the picture of it. */
  async screenshot(name) {
    await this.page.locator('#console').evaluate((pre, lines) => {
      pre.textContent = lines.join('\n');
    }, this.printed);
    await this.page.screenshot({ path: join(options.screenshots, name) });
  }
}

async function story() {
  const sandbox = await Sandbox.start(options.sandbox, folder);
  const phone = await sandbox.addPhone(NUMBER);
  const key = randomBytes(32).toString('hex');
  const daemon = await Daemon.start(options.walinkd, folder, { key, sandboxUrl: sandbox.url });
  const server = await serve(PAGE);
  const { port } = server.address();
  const origin = `http://localhost:${port}`;
  const browser = await launch();
  const tab = await Tab.open(browser, origin);

  const authenticator = await step('the account has a passkey in the browser', async () => {
    const plugged = await tab.plugIn();
    const credential = await tab.createPasskey();
    await phone.requirePasskey({ rp_id: 'localhost', origin, credential });
    return plugged;
  });
  const challenge = async () => {
    await daemon.statusIs('a QR code', LINK_SECONDS, (status) => status.hasQRCode && status);
    const qr = await daemon.call('GET', '/connection/qr');
    const scanned = await phone.scan(qr.body.data.qrCode);
    assert.deepEqual(scanned, { passkey: 'challenge' });
    const status = await daemon.statusIs('it asks for the passkey', LINK_SECONDS, (now) =>
      now.state === 'waiting_passkey' && now);
    assert.match(status.userAction, /passkey/);
    const { code, body } = await daemon.call('GET', PATH);
    assert.equal(code, 200);
    assert.equal(body.data.stage, 'challenge');
    return body.data;
  };
  const post = (text) => daemon.call('POST', PATH, { body: JSON.parse(text) });

  const asked = await step('a scan leads to the challenge, with a script', challenge);
  await step('where there is no passkey, the script says so and walinkd understands', async () => {
    const other = await Tab.open(browser, origin);
    await other.plugIn();
    const text = await other.console(asked.script);
    assert.equal(JSON.parse(text).error.name, 'NotAllowedError');
    const { code, body } = await post(text);
    assert.equal(code, 400);
    assert.equal(body.code, 'passkey_cancelled');
    assert.match(body.error, /holds no passkey/);
    await other.page.close();
  });
  await step('on the wrong page the browser refuses, and walinkd names the right one', async () => {
    const wrong = await Tab.open(browser, `http://127.0.0.1:${port}`);
    const text = await wrong.console(asked.script);
    assert.equal(JSON.parse(text).error.name, 'SecurityError');
    const { body } = await post(text);
    assert.equal(body.code, 'passkey_cancelled');
    assert.ok(body.error.includes(asked.page), body.error);
    await wrong.page.close();
  });
  const answer = await step('the script answers, prints, copies, and calls nobody', async () => {
    tab.requests.length = 0;
    const text = await tab.console(asked.script);
    assert.equal(JSON.parse(text).type, 'public-key');
    assert.equal(tab.clipboard, text);
    assert.ok(tab.printed.includes(text));
    assert.deepEqual(tab.requests, []);
    await tab.screenshot('passkey.png');
    return text;
  });
  await step('the answer leads to the code that the phone shows', async () => {
    const { code, body } = await post(answer);
    assert.equal(code, 200, JSON.stringify(body));
    assert.equal(body.data.stage, 'confirm');
    assert.equal(body.data.code, (await phone.gate()).code);
  });
  await step('confirmed, it is linked', async () => {
    const { code, body } = await daemon.call('POST', `${PATH}/confirm`);
    assert.equal(code, 200, JSON.stringify(body));
    await daemon.statusIs('connected', LINK_SECONDS, (status) => status.isConnected && status);
    assert.equal((await phone.linkedDevices()).length, 1);
  });
  await step('unplugged and back: a dialog that finds nothing is no dead end', async () => {
    await daemon.call('POST', '/connection/disconnect');
    const again = await challenge();
    await tab.unplug(authenticator);
    await tab.plugIn();
    assert.equal((await post(await tab.console(again.script))).body.code, 'passkey_cancelled');
    const credential = await tab.createPasskey();
    await phone.requirePasskey({ rp_id: 'localhost', origin, credential });
    const { code, body } = await post(await tab.console(again.script));
    assert.equal(code, 200, JSON.stringify(body));
    assert.equal((await daemon.call('POST', `${PATH}/confirm`)).code, 200);
    await daemon.statusIs('connected', LINK_SECONDS, (status) => status.isConnected && status);
  });
  await step('no secret reached the log', async () => {
    assert.equal(await daemon.child.stop(), 'status 0');
    for (const secret of [key, NUMBER, JSON.parse(answer).id, asked.publicKey.challenge]) {
      assert.ok(!daemon.child.output.includes(secret), secret);
    }
  });
  await browser.close();
  server.close();
}

await play('the passkey script works in Chromium', story);
