// The stream of events in a real browser and in Node: the example of README.md,
// as it stands there, follows it from a page of another origin, over a restart of
// the daemon and without a gap.
//
//   node events.mjs [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { launch, serve } from './lib/browser.mjs';
import { Daemon } from './lib/daemon.mjs';
import { readme } from './lib/document.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { folder, options, play, step } from './lib/story.mjs';
import { until } from './lib/wait.mjs';

const NUMBER = '6281234567890';
const SECONDS = 30;

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A page that looks on</title>
<h1>A page that looks on</h1>`;

const key = randomBytes(32).toString('hex');

/** Two followers by the same code, and what each was told: `[type, data]`. */
class Followers {
  static async begin(code, url) {
    const server = await serve(PAGE);
    const browser = await launch();
    const page = await browser.newPage();
    const complaints = [];
    const addresses = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('request', (request) => addresses.push(request.url()));
    const inPage = [];
    await page.exposeFunction('tell', (type, data) => inPage.push([type, data]));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.addScriptTag({ content: `${code}; follow('${url}', '${key}', tell);` });
    const inNode = [];
    const follow = new Function('url', 'key', 'tell', `${code}; follow(url, key, tell);`);
    follow(url, key, (type, data) => inNode.push([type, data]));
    return Object.assign(new Followers(), { browser, server, complaints, addresses, inPage, inNode });
  }

  async bothSee(what, holds) {
    for (const told of [this.inPage, this.inNode]) {
      await until(what, SECONDS, async () => told.some(([type, data]) => holds(type, data)));
    }
  }

  async close() {
    await this.browser.close();
    this.server.close();
  }
}

async function story() {
  const sandbox = await Sandbox.start(options.sandbox, folder);
  const phone = await sandbox.addPhone(NUMBER);
  const start = { key, sandboxUrl: sandbox.url };
  let daemon = await Daemon.start(options.walinkd, folder, start);
  const followers = await Followers.begin(readme('async function follow('), daemon.url);
  const { inPage, inNode } = followers;

  await step('both are told the status first', async () => {
    await followers.bothSee('a status', (type) => type === 'status');
    for (const [[type, status]] of [inPage, inNode]) {
      assert.equal(type, 'status');
      assert.equal(status.isConnected, false);
    }
  });
  await step('both are told that the phone links', async () => {
    await daemon.statusIs('a QR code', SECONDS, (status) => status.hasQRCode);
    const { body } = await daemon.call('GET', '/connection/qr');
    await phone.scan(body.data.qrCode);
    await followers.bothSee('connected', (type) => type === 'connection.connected');
  });
  await step('both go on over a restart of the daemon', async () => {
    assert.equal(await daemon.child.stop(), 'status 0');
    const port = new URL(daemon.url).port;
    daemon = await Daemon.start(options.walinkd, folder, { ...start, port });
    await followers.bothSee('the start', (type) => type === 'admin.start');
    await daemon.call('POST', '/connection/pause');
    await followers.bothSee('paused', (type) => type === 'connection.paused');
  });
  await step('nothing was missed and nothing told twice', async () => {
    const { body } = await daemon.call('GET', '/connection/log?limit=1000');
    const log = body.data.map((event) => event.id).reverse();
    for (const told of [inPage, inNode]) {
      assert(!told.some(([type]) => type === 'gap'));
      const ids = told.filter(([type]) => type !== 'status').map(([, event]) => event.id);
      const same = log.slice(log.indexOf(ids[0]), log.indexOf(ids.at(-1)) + 1);
      assert.deepEqual(ids, same);
    }
  });
  await step('the key was never in an address, and CORS was not in the way', () => {
    assert(followers.addresses.some((address) => address.endsWith('/connection/events')));
    assert(!followers.addresses.some((address) => address.includes(key)));
    const cors = followers.complaints.filter((text) => text.includes('CORS'));
    assert.deepEqual(cors, []);
  });
  await followers.close();
}

await play('a page and a program follow what happens', story);
