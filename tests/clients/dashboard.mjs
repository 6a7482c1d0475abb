// walinkd's dashboard in a real browser, as people meet it: every flow, in both
// languages, on a small screen, in the dark, by keyboard; and at each state axe-core
// looks at it, and the browser has nothing to say against it.
//
//   node dashboard.mjs [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { Board } from './lib/board.mjs';
import { launch } from './lib/browser.mjs';
import { Daemon } from './lib/daemon.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { folder, options, play, step } from './lib/story.mjs';
import { until } from './lib/wait.mjs';

const ALICE = '6281234567890';
const BOB = '6289876543210';
/** As `masked` has it. */
const ALICE_MASKED = '62812******90';

/** WhatsApp's first QR code is good for a minute. */
const ROTATION_SECONDS = 75;

const DESKTOP = { viewport: { width: 1080, height: 780 } };
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const key = randomBytes(32).toString('hex');
const readKey = randomBytes(32).toString('hex');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** What axe, the layout and the browser have to say, and a picture of it. */
async function look(board, name) {
  await board.passesAxe();
  await board.fits();
  await board.isClean();
  await board.page.screenshot({ path: join(options.screenshots, `dashboard-${name}.png`), fullPage: true });
}

/** Its upper part, which is what README.md shows. */
async function portray(board, name, height) {
  const before = board.page.viewportSize();
  await board.page.setViewportSize({ ...before, height });
  await board.page.evaluate(() => scrollTo(0, 0));
  await board.page.screenshot({ path: join(options.screenshots, `portrait-${name}.png`), animations: 'disabled' });
  await board.page.setViewportSize(before);
}

/** The phone scans what is on the screen, which may rotate away meanwhile. */
async function scanFrom(board, phone) {
  return until('the phone scans the screen', 30, async () => phone.scan(await board.scanned()));
}

/** What `ssh -L PORT:SOCKET` does. */
async function forward(socket) {
  const server = createServer((client) => {
    const inner = createConnection(socket);
    client.pipe(inner).pipe(client);
    for (const end of [client, inner]) end.on('error', () => end.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function story() {
  const sandbox = await Sandbox.start(options.sandbox, folder);
  const alice = await sandbox.addPhone(ALICE, 'Toko Alice');
  const bob = await sandbox.addPhone(BOB, 'Toko Bob');
  const start = {
    key,
    sandboxUrl: sandbox.url,
    more: ['[[auth.keys]]', 'name = "reader"', `sha256 = "${sha256(readKey)}"`],
  };
  let daemon = await Daemon.start(options.walinkd, folder, start);
  const browser = await launch();
  const board = await Board.open(browser, daemon.url, DESKTOP);
  const { page } = board;

  console.log('# The key');
  await step('the page asks for a key, and has asked nobody for anything', async () => {
    await board.shows('entry');
    assert.equal(await board.focused(), 'key');
    assert.deepEqual(board.requests, [`${daemon.url}/`]);
    await look(board, 'entry');
  });
  await step('a wrong key is told so, in walinkd\'s words', async () => {
    await board.signIn('wrong');
    await board.reads('entry-error', 'This API key is not known');
    assert.equal(await board.focused(), 'key');
    board.expectRefusals(403);
    await look(board, 'wrong-key');
    await board.signIn('what was that');
    await board.reads('entry-error', 'no spaces');
  });
  await step('a good one opens it, and is kept for this tab only', async () => {
    await board.signIn(key);
    await board.says('Waiting for a scan');
    assert.equal(await board.focused(), 'state-title');
    const kept = await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }, document.cookie]);
    assert.deepEqual(kept, [{ 'walinkd-key': key }, {}, '']);
    await page.reload();
    await board.says('Waiting for a scan');
  });

  console.log('# QR code');
  await step('the QR code can be scanned off the screen, and counts down', async () => {
    const shown = await until('a QR code', 20, () => board.scanned());
    const { body } = await daemon.call('GET', '/connection/qr');
    if (body.data?.qrCode !== shown) assert.notEqual(await board.scanned(), shown);
    await board.reads('qr-left', 'This code changes in 0:');
    await board.reads('action', 'Scan the QR code');
    await look(board, 'qr');
  });
  await step('it is redrawn when it rotates', async () => {
    const first = await board.scanned();
    const second = await until('another code', ROTATION_SECONDS, async () => {
      const seen = await board.scanned();
      return seen && seen !== first && seen;
    });
    assert.notEqual(first, second);
  });
  await step('the phone scans it; the page says so by itself', async () => {
    await scanFrom(board, alice);
    await board.says('Connected');
    await board.shows('qr', false);
    assert.equal(await board.at('qr-image').getAttribute('src'), null);
    await board.reads('event-list', 'connected as 62812');
    assert.equal(await page.title(), 'Connected · walinkd');
    assert.match(await board.at('live').textContent(), /^Connected/);
  });
  await step('the number is masked until it is asked for', async () => {
    await board.reads('number', ALICE_MASKED);
    assert.ok(!(await page.content()).includes(ALICE));
    await look(board, 'connected');
    await board.at('reveal').click();
    await board.reads('number', ALICE);
    await board.at('reveal').click();
    await board.reads('number', ALICE_MASKED);
  });

  console.log('# Steering');
  await step('pause and resume', async () => {
    await board.at('pause').click();
    await board.says('Paused');
    await look(board, 'paused');
    await board.at('resume').click();
    await board.says('Connected');
  });
  await step('a lost network is told, with the next attempt; reconnect ends it', async () => {
    await sandbox.cutOff();
    await board.says('Reconnecting');
    await board.shows('fact-next');
    await board.shows('health');
    await look(board, 'lost-network');
    await sandbox.mend();
    // Either is in time first.
    await board.at('reconnect').click({ timeout: 5000 }).catch(() => {});
    await board.says('Connected');
  });
  await step('disconnecting asks first, and no is no', async () => {
    await board.at('disconnect').click();
    await board.shows('leave');
    assert.equal(await board.focused(), 'leave-no');
    await look(board, 'confirm');
    await board.at('leave-no').click();
    await board.shows('leave', false);
    assert.equal((await daemon.status()).isConnected, true);
    assert.equal((await alice.linkedDevices()).length, 1);
  });
  await step('yes is yes', async () => {
    await board.at('disconnect').click();
    await board.at('leave-yes').click();
    await board.says('Waiting for a scan');
    await board.reads('told', 'Disconnected.');
    assert.equal((await alice.linkedDevices()).length, 0);
  });

  console.log('# Pairing code');
  await step('a wrong number gets walinkd\'s hint, beside the field', async () => {
    await board.at('phone').fill('0812 3456 7890');
    await board.at('phone').press('Enter');
    await board.reads('phone-error', 'leave out the leading zero');
    assert.equal(await board.at('phone').getAttribute('aria-invalid'), 'true');
    board.expectRefusals(400);
    await look(board, 'wrong-number');
  });
  const shownCode = await step('a good one gets a code, large and copyable, with its time', async () => {
    await board.at('phone').fill('+62 812-3456-7890');
    await board.at('pair').click();
    await board.says('Waiting for the pairing code');
    await board.reads('code-left', 'Good for another');
    const code = await board.at('code').innerText();
    assert.match(code, /^[1-9A-Z]{4}-[1-9A-Z]{4}$/);
    await board.at('code-copy').click();
    await board.reads('code-copy', 'Copied');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
    await board.shows('qr', false);
    await look(board, 'code');
    return code;
  });
  await step('a wrong code at the phone changes nothing, the right one links', async () => {
    const wrong = shownCode.startsWith('A') ? 'BBBB-BBBB' : 'AAAA-AAAA';
    await assert.rejects(alice.enterCode(wrong), /409/);
    await board.says('Waiting for the pairing code');
    await alice.enterCode(await board.at('code').innerText());
    await board.says('Connected');
    await board.shows('code-box', false);
  });
  await step('another number pairs beside the link, which stays', async () => {
    await board.at('link-toggle').click();
    assert.equal(await board.focused(), 'phone');
    await board.at('phone').fill(BOB);
    await board.at('pair').click();
    await board.reads('code-for', BOB);
    await board.says('Connected');
    await look(board, 'replace');
    await bob.enterCode(await board.at('code').innerText());
    await board.reads('number', '62898');
    await board.says('Connected');
    assert.equal((await alice.linkedDevices()).length, 0);
  });
  await step('back from a code to QR codes', async () => {
    await daemon.call('POST', '/connection/disconnect');
    await board.says('Waiting for a scan');
    await board.at('phone').fill(ALICE);
    await board.at('pair').click();
    await board.says('Waiting for the pairing code');
    await board.at('use-qr').click();
    await board.says('Waiting for a scan');
    await until('a QR code', 20, () => board.scanned());
    await portray(board, 'desktop', 780);
  });

  console.log('# Passkey');
  await step('WhatsApp asks for the passkey: the page, the script to copy', async () => {
    await alice.requirePasskey({});
    await scanFrom(board, alice);
    await board.says('Waiting for the passkey');
    await board.shows('passkey-challenge');
    await board.reads('passkey-page', 'https://web.whatsapp.com');
    await board.reads('passkey-left', 'Time left: ');
    await board.at('script-copy').click();
    const script = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(script, /navigator\.credentials/);
    await look(board, 'passkey');
  });
  await step('what is no answer is told', async () => {
    await board.at('answer').fill('hello');
    await page.locator('#answer-form button').click();
    await board.reads('answer-error', 'not what the script prints');
    await board.at('answer').fill('{"error":{"name":"NotAllowedError"}}');
    await page.locator('#answer-form button').click();
    await board.reads('answer-error', 'holds no passkey');
    board.expectRefusals(400);
    await look(board, 'passkey-error');
  });
  await step('the answer leads to the code of the phone, and that to the link', async () => {
    const { body } = await daemon.call('GET', '/connection/passkey');
    const answer = await alice.answerPasskey(body.data.publicKey);
    await board.at('answer').fill(JSON.stringify(answer));
    await page.locator('#answer-form button').click();
    await board.shows('passkey-confirm');
    await board.reads('confirm-code', (await alice.gate()).code);
    await look(board, 'passkey-confirm');
    await board.at('confirm').click();
    await board.says('Connected');
    await board.shows('passkey', false);
    await alice.waivePasskey();
  });

  console.log('# The daemon goes and comes back');
  await step('when it is gone the page says so, and dims what it shows', async () => {
    assert.equal(await daemon.child.stop(), 'status 0');
    await board.shows('lost');
    await board.reads('lost', 'What is shown below is as of');
    await board.reads('lost', 'Next try in');
    await board.says('Connected');
    assert.ok(await board.at('pause').isDisabled());
    assert.match(await page.title(), /cannot be reached/);
    // While it stops it still says so.
    board.expectRefusals(503);
    board.expectAbsence();
    await look(board, 'lost-daemon');
  });
  await step('when it is back the page goes on, and has missed nothing', async () => {
    const port = new URL(daemon.url).port;
    daemon = await Daemon.start(options.walinkd, folder, { ...start, port });
    await board.shows('lost', false, 30);
    await board.says('Connected');
    board.expectRefusals(503);
    board.expectAbsence();
    const { body } = await daemon.call('GET', '/connection/log?limit=5');
    await until('the newest events are on the page', 10, async () => {
      const told = await board.at('event-list').locator('li').allInnerTexts();
      return body.data.every(({ message }) => told.some((text) => text.includes(message)));
    });
    await board.isClean();
  });
  await step('a network that goes away in the browser is told too', async () => {
    await board.context.setOffline(true);
    await board.shows('lost');
    await board.context.setOffline(false);
    await board.shows('lost', false, 30);
    board.expectAbsence();
    await board.isClean();
  });

  console.log('# By keyboard');
  await step('everything is reached in its order, and the dialog keeps the focus', async () => {
    await page.reload();
    await board.says('Connected');
    await board.shows('older');
    const order = [];
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      order.push(await board.focused());
    }
    assert.deepEqual(
      order.slice(0, 9),
      ['en', 'id', 'forget', 'reveal', 'reconnect', 'pause', 'disconnect', 'link-toggle', 'event-scroll'],
    );
    assert.equal(order[9], 'older');
    for (let presses = 0; (await board.focused()) !== 'disconnect' && presses < 30; presses += 1) {
      await page.keyboard.press('Shift+Tab');
    }
    const ring = await board.at('disconnect').evaluate((button) => getComputedStyle(button).outlineWidth);
    assert.equal(ring, '3px');
    await page.keyboard.press('Enter');
    await board.shows('leave');
    for (let presses = 0; presses < 5; presses += 1) {
      await page.keyboard.press('Tab');
      const where = await page.evaluate(() => document.activeElement.closest('dialog, body').tagName);
      // Between the last and the first stands the browser's own frame.
      const inside = where === 'DIALOG' || (await page.evaluate(() => document.activeElement === document.body));
      assert.ok(inside, `the focus is in ${where}`);
    }
    await page.keyboard.press('Escape');
    await board.shows('leave', false);
    assert.equal(await board.focused(), 'disconnect');
  });

  console.log('# Others');
  await step('a key that may only read sees all, and why it may not', async () => {
    const reader = await Board.open(browser, daemon.url, DESKTOP);
    await reader.signIn(readKey);
    await reader.says('Connected');
    await reader.reads('readonly', 'may only read');
    for (const id of ['pause', 'reconnect', 'disconnect']) assert.ok(await reader.at(id).isDisabled(), id);
    await reader.reads('event-list', 'connected as 62812');
    await look(reader, 'reader');
    await reader.close();
  });
  await step('a removed key leads back to the question, and the reason is said', async () => {
    const other = await Board.open(browser, daemon.url, DESKTOP);
    await other.signIn(key);
    await other.says('Connected');
    await other.at('forget').click();
    await other.shows('entry');
    assert.equal(await other.focused(), 'key');
    assert.deepEqual(await other.page.evaluate(() => ({ ...sessionStorage })), {});
    await other.page.evaluate(() => sessionStorage.setItem('walinkd-key', 'removed'));
    await other.page.reload();
    await other.reads('entry-error', 'This API key is not known');
    other.expectRefusals(403);
    await other.isClean();
    await other.close();
  });
  await step('in Indonesian, on a small screen, in the dark', async () => {
    const small = await Board.open(browser, daemon.url, { ...PHONE, locale: 'id-ID', colorScheme: 'dark' });
    await look(small, 'mobile-entry');
    assert.equal(await small.page.locator('html').getAttribute('lang'), 'id');
    await small.reads('entry-title', 'Masuk dengan kunci API');
    await small.signIn(key);
    await small.says('Tersambung');
    await look(small, 'mobile-connected');
    await small.at('disconnect').click();
    await small.reads('leave-title', 'Putuskan ponsel ini?');
    await look(small, 'mobile-confirm');
    await small.at('leave-yes').click();
    await small.says('Menunggu pemindaian');
    await small.reads('action', 'Pindai kode QR');
    await until('a QR code', 20, () => small.scanned());
    await look(small, 'mobile-qr');
    await small.at('phone').fill(ALICE);
    await small.at('pair').click();
    await small.says('Menunggu kode penautan');
    await small.shows('code');
    await look(small, 'mobile-code');
    await portray(small, 'mobile', 800);
    await small.page.locator('[data-language="en"]').click();
    await small.says('Waiting for the pairing code');
    await alice.enterCode(await small.at('code').innerText());
    await small.says('Connected');
    await small.isClean();
    await small.close();
  });
  await step('on the control socket no key is asked for', async () => {
    const tunnel = await forward(daemon.socket);
    const inside = await Board.open(browser, `http://localhost:${tunnel.address().port}`, DESKTOP);
    await inside.says('Connected');
    await inside.shows('entry', false);
    await inside.at('pause').click();
    await inside.says('Paused');
    await inside.at('resume').click();
    await inside.says('Connected');
    await look(inside, 'control');
    await inside.close();
    tunnel.close();
  });
  await step('the key was in no address, and no secret in the log', async () => {
    await board.isClean();
    assert.ok(!board.requests.some((url) => url.includes(key)));
    assert.equal(await daemon.child.stop(), 'status 0');
    for (const secret of [key, readKey, ALICE, BOB]) assert.ok(!daemon.child.output.includes(secret));
  });
  await browser.close();
}

await play('the dashboard does what people need of it', story);
