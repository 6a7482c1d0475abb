// walinkd's own dashboard, as a person has it on the screen, and everything that
// the browser has to say against it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import jsQR from 'jsqr';
import { until } from './wait.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Told by the browser itself whenever an answer is a refusal, or there is none. */
const REFUSED = /^Failed to load resource: the server responded with a status of (\d+)/;
const UNREACHABLE = /^Failed to load resource: net::ERR_/;

export class Board {
  /** Opens it as a browser of its own would; `options` are Playwright's. */
  static async open(browser, url, options = {}) {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']).catch(() => {});
    await context.addInitScript(() => {
      window.violations = [];
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        window.violations.push(`${violatedDirective} ${blockedURI}`),
      );
    });
    const page = await context.newPage();
    const board = new Board(context, page, new URL(url).origin);
    await board.visit(url);
    return board;
  }

  constructor(context, page, origin) {
    Object.assign(this, { context, page, origin, requests: [], complaints: [] });
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
  }

  async visit(url) {
    await this.page.goto(url);
  }

  at(id) {
    return this.page.locator(`#${id}`);
  }

  async signIn(key) {
    await this.at('key').fill(key);
    await this.at('key').press('Enter');
  }

  /** Waits until the state on the screen is this. */
  async says(state, seconds = 30) {
    await this.reads('state-title', state, seconds);
  }

  /** Waits until what is on the screen there has this in it. */
  async reads(id, text, seconds = 30) {
    await until(`the page has "${text}" in #${id}`, seconds, async () => {
      const shown = (await this.at(id).isVisible()) && (await this.at(id).innerText());
      if (shown && shown.includes(text)) return true;
      throw new Error(`it has "${shown}": ${await this.page.locator('main').innerText()}`);
    });
  }

  async shows(id, wanted = true, seconds = 10) {
    await until(`#${id} is ${wanted ? '' : 'not '}shown`, seconds, async () =>
      (await this.at(id).isVisible()) === wanted,
    );
  }

  /** Where the keyboard is. */
  async focused() {
    return this.page.evaluate(() => document.activeElement.id || document.activeElement.lang);
  }

  /** What a phone's camera would read off the screen; null without a QR code. */
  async scanned() {
    if (!(await this.at('qr-image').isVisible())) return null;
    const image = `data:image/png;base64,${(await this.at('qr-image').screenshot()).toString('base64')}`;
    const helper = await this.context.browser().newPage();
    try {
      const pixels = await helper.evaluate(async (source) => {
        const picture = new Image();
        picture.src = source;
        await picture.decode();
        const { width, height } = picture;
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        const drawing = canvas.getContext('2d');
        drawing.drawImage(picture, 0, 0);
        return { data: Array.from(drawing.getImageData(0, 0, width, height).data), width, height };
      }, image);
      return jsQR(Uint8ClampedArray.from(pixels.data), pixels.width, pixels.height)?.data ?? null;
    } finally {
      await helper.close();
    }
  }

  /** What axe-core has against the page as it is now: nothing. */
  async passesAxe() {
    const found = await this.page.evaluate(`{
      const module = undefined, exports = undefined, define = undefined;
      ${AXE}
      window.axe.run(document, { resultTypes: ['violations', 'incomplete'] })
    }`);
    const told = found.violations.map(({ id, nodes }) => [id, ...nodes.map((node) => node.html)]);
    assert.deepEqual(told, []);
    assert.ok(found.passes.length > 10, 'axe has looked');
  }

  /** Nothing is cut off or has to be scrolled sideways. */
  async fits() {
    const { wide, inside } = await this.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth,
      inside: document.documentElement.clientWidth,
    }));
    assert.ok(wide <= inside, `the page is ${wide} px wide on a screen of ${inside} px`);
  }

  /** Forgets what the browser said of refusals that were to be. */
  expectRefusals(...statuses) {
    this.complaints = this.complaints.filter((text) => !statuses.includes(Number(REFUSED.exec(text)?.[1])));
  }

  /** The same of a daemon that was away. */
  expectAbsence() {
    this.complaints = this.complaints.filter((text) => !UNREACHABLE.test(text));
  }

  /** The browser has nothing to say, and nobody else was asked for anything. */
  async isClean() {
    assert.deepEqual(this.complaints, []);
    assert.deepEqual(await this.page.evaluate(() => window.violations), []);
    const foreign = this.requests.filter((url) => !url.startsWith(`${this.origin}/`) && !url.startsWith('data:'));
    assert.deepEqual(foreign, []);
  }

  async close() {
    await this.context.close();
  }
}
