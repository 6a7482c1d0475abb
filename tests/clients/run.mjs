// The example clients of connection-api.md, run as they stand in the document
// against walinkd and walinkd-sandbox, through Flows 1, 3 and 2 of the document.
//
//   node run.mjs [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { join } from 'node:path';
import { Dashboard } from './lib/browser.mjs';
import { Daemon } from './lib/daemon.mjs';
import { example } from './lib/document.mjs';
import { AutoReconnect, runMobileApp } from './lib/node-clients.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { folder, options, play, step } from './lib/story.mjs';
import { until } from './lib/wait.mjs';

// The examples say localhost and the default configuration listens on
// 127.0.0.1; Node 18 would try only the first address that localhost has.
dns.setDefaultResultOrder('ipv4first');

const ALICE = '6281234567890';
const BOB = '6289876543210';
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The page polls every 5 s; a busy machine gets a little more. */
const PAGE_SECONDS = 8;
const LINK_SECONDS = 30;

const key = randomBytes(32).toString('hex');
/** Everything that must not be in walinkd's log. */
const secrets = new Set([key, ALICE, BOB]);
let pictures = 0;

async function story() {
  const sandbox = await Sandbox.start(options.sandbox, folder);
  const alice = await sandbox.addPhone(ALICE);
  const bob = await sandbox.addPhone(BOB);
  let daemon = await Daemon.start(options.walinkd, folder, { key, sandboxUrl: sandbox.url });
  const own = { key, url: daemon.url };
  const mobileApp = () => runMobileApp(example(2, own));

  console.log('# Flow 1: QR code');
  await step('status: isConnected false, hasQRCode true', async () => {
    const status = await unlinkedWithQR(daemon);
    assert.equal(status.hasPairingCode, false);
    assert.equal(status.phoneNumber, null);
    assert.match(status.lastQRUpdate, TIMESTAMP);
    assert.equal(status.lastPairingUpdate, null);
  });
  await step('refusals are as the document has them', () => refusals(daemon));
  const dashboard = await step('Example 1 opens in the browser', () =>
    Dashboard.open(example(1, own)),
  );
  const monitor = new AutoReconnect(example(3, own), folder);
  await step('Example 1 asks to scan, and draws the QR code of the API', () =>
    asksToScan(dashboard, daemon),
  );
  await step('Example 2 hands the QR code to displayQRCode', async () => {
    const { displayed } = await mobileApp();
    displayed.forEach(keepSecret);
    assert.equal(displayed.length, 1);
    assert.match(displayed[0], /^\S+,\S+,\S+,\S+/);
  });
  await step('Example 3 sounds the alert and prints the QR code', async () => {
    await monitor.says('ALERT Bot disconnected! Scan QR code to reconnect.', 10);
    assert.match(monitor.child.output, /QR Code: \S+,\S+,\S+,\S+/);
  });
  await step('the phone scans what the page shows; status: isConnected true', async () => {
    await until('the phone takes the QR code', LINK_SECONDS, async () => {
      const qr = keepSecret(await dashboard.scannedQR());
      // A code that rotates away between the look and the scan is refused.
      return alice.scan(qr);
    });
    await connectedAs(daemon, ALICE);
  });
  await step('all three see it', () => allConnected(dashboard, mobileApp, monitor));
  await step('no QR code is left', async () => {
    const { code, body } = await daemon.call('GET', '/connection/qr');
    assert.equal(code, 404);
    assert.equal(body.error, 'No QR code available. Bot might already be connected.');
  });

  console.log('# Flow 3: disconnect and reconnect');
  await step('Example 2 disconnects; the device is gone from the phone', async () => {
    const { bot } = await mobileApp();
    const answer = await bot.disconnect();
    assert.equal(answer.success, true);
    assert.equal(
      answer.message,
      'Disconnected successfully. Scan QR or use pairing code to reconnect.',
    );
    await until('the phone has no linked device', 10, async () => !(await alice.linkedDevices()).length);
  });
  await step('a new QR code follows, and Example 1 draws it', async () => {
    await unlinkedWithQR(daemon);
    await asksToScan(dashboard, daemon);
    await monitor.says('Bot disconnected!', 10);
  });
  await step('another phone links', async () => {
    await until('the phone takes the QR code', LINK_SECONDS, async () =>
      bob.scan(keepSecret(await dashboard.scannedQR())),
    );
    await connectedAs(daemon, BOB);
    await allConnected(dashboard, mobileApp, monitor);
  });

  console.log('# Flow 2: pairing code');
  const logs = [daemon.child];
  await step('USE_PAIRING_CODE and PHONE_NUMBER: a start in pairing mode', async () => {
    await daemon.call('POST', '/connection/disconnect');
    assert.equal(await daemon.child.stop(), 'status 0');
    daemon = await Daemon.start(options.walinkd, folder, {
      key,
      sandboxUrl: sandbox.url,
      port: new URL(daemon.url).port,
      env: { USE_PAIRING_CODE: 'true', PHONE_NUMBER: ALICE },
    });
    logs.push(daemon.child);
    const status = await daemon.statusIs('hasPairingCode', LINK_SECONDS, (it) => it.hasPairingCode);
    assert.equal(status.isConnected, false);
    assert.match(status.lastPairingUpdate, TIMESTAMP);
    await saysDisconnected(dashboard);
  });
  await step('the phone takes the pairing code', async () => {
    const { code, body } = await daemon.call('GET', '/connection/pairing');
    assert.equal(code, 200);
    const { pairingCode, phoneNumber, timestamp, expiresIn } = body.data;
    keepSecret(pairingCode);
    keepSecret(pairingCode.replace('-', ''));
    assert.match(pairingCode, /^[1-9A-Z]{4}-[1-9A-Z]{4}$/);
    assert.equal(phoneNumber, ALICE);
    assert.match(timestamp, TIMESTAMP);
    assert.match(expiresIn, /^\d+ seconds?$/);
    await alice.enterCode(pairingCode);
    await connectedAs(daemon, ALICE);
    await allConnected(dashboard, mobileApp, monitor);
  });

  console.log('# Afterwards');
  await step('the browser never found a CORS answer wanting', () => {
    assert.deepEqual(dashboard.corsComplaints(), []);
  });
  await step('walinkd ends with status 0, and its log keeps the secrets', async () => {
    await dashboard.close();
    await monitor.child.stop();
    assert.equal(await daemon.child.stop(), 'status 0');
    for (const secret of secrets) {
      assert(
        !logs.some((log) => log.output.includes(secret)),
        `the log holds a secret: ${secret.slice(0, 6)}…`,
      );
    }
  });
}

async function saysDisconnected(page) {
  await until('the page says Disconnected', PAGE_SECONDS, async () =>
    (await page.text()).endsWith('Disconnected - Scan QR below'),
  );
}

async function asksToScan(page, server) {
  await saysDisconnected(page);
  await until('the page draws the QR code of the API', PAGE_SECONDS, async () => {
    const { body } = await server.call('GET', '/connection/qr');
    assert.match(body.data.timestamp, TIMESTAMP);
    assert.match(body.data.expiresIn, /^\d+ seconds?$/);
    return (await page.scannedQR()) === keepSecret(body.data.qrCode);
  });
  await picture(page, 'scan');
}

async function allConnected(page, app, script) {
  await until('the page says Connected', PAGE_SECONDS, async () => {
    const text = await page.text();
    return text.endsWith('Connected') && !text.includes('Disconnected');
  });
  await picture(page, 'connected');
  const { bot, displayed } = await app();
  assert.deepEqual(displayed, [], 'Example 2 shows no QR code');
  assert.equal((await bot.getConnectionStatus()).data.isConnected, true);
  await script.says('Bot connected', 10);
}

async function picture(page, name) {
  pictures += 1;
  await page.screenshot(join(options.screenshots, `${pictures}-${name}.png`));
}

async function unlinkedWithQR(daemon) {
  return daemon.statusIs('a QR code to scan', LINK_SECONDS, (it) => !it.isConnected && it.hasQRCode);
}

async function connectedAs(daemon, number) {
  const status = await daemon.statusIs('isConnected', LINK_SECONDS, (it) => it.isConnected);
  assert.equal(status.phoneNumber, number);
  assert.equal(status.hasQRCode, false);
  assert.equal(status.hasPairingCode, false);
}

async function refusals(daemon) {
  const expect = async (call, code, error) => {
    const answer = await daemon.call(...call);
    assert.equal(answer.code, code, call.join(' '));
    assert.equal(answer.body.success, false);
    if (error) assert.equal(answer.body.error, error);
  };
  await expect(['GET', '/connection/status', { headers: {} }], 403);
  await expect(['GET', '/connection/status', { headers: { 'x-api-key': 'wrong' } }], 403);
  await expect(['POST', '/connection/pairing', { body: {} }], 400);
  await expect(
    ['GET', '/connection/pairing'],
    404,
    'No pairing code available. Start server with pairing mode enabled.',
  );
}

/** A QR code's parts, the ref and the keys, are as secret as the whole. */
function keepSecret(secret) {
  for (const part of secret?.split(',') ?? []) {
    if (part.length >= 8) secrets.add(part);
  }
  return secret;
}

await play('the example clients work', story);
