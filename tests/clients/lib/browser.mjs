// Example 1 in a real browser, served from another origin than the API's.

import jsQR from 'jsqr';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-proxy-server',
];

/**
 * The page loads this from the CDN. The package ships `build/qrcode.js`; the
 * CDN makes the `.min.js` of it when asked. So the same code answers here,
 * out of the package, and no test depends on the CDN.
 */
const LIBRARY_URL = 'https://cdn.jsdelivr.net/npm/qrcode@1.5.1/build/qrcode.min.js';
const LIBRARY = createRequire(import.meta.url).resolve('qrcode/build/qrcode.js');

/** Serves one page, at every path, on a free port of 127.0.0.1. */
export async function serve(html) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(html);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export class Dashboard {
  static async open(html) {
    const server = await serve(html);
    const browser = await launch();
    const page = await browser.newPage();
    const dashboard = new Dashboard(server, browser, page);
    await page.route(/^https:/, (route) =>
      route.request().url() === LIBRARY_URL
        ? route.fulfill({ contentType: 'application/javascript', body: readFileSync(LIBRARY) })
        : route.abort(),
    );
    page.on('console', (message) => dashboard.console.push(message.text()));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return dashboard;
  }

  constructor(server, browser, page) {
    this.server = server;
    this.browser = browser;
    this.page = page;
    this.console = [];
  }

  /** What the page says about the connection. */
  async text() {
    return this.page.locator('#status').innerText();
  }

  /** What a phone's camera would read off the canvas; null without a QR code. */
  async scannedQR() {
    const pixels = await this.page.locator('#qr').evaluate((canvas) => {
      const { data, width, height } = canvas
        .getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height);
      return { data: Array.from(data), width, height };
    });
    return jsQR(Uint8ClampedArray.from(pixels.data), pixels.width, pixels.height)?.data ?? null;
  }

  async screenshot(path) {
    await this.page.screenshot({ path });
  }

  /** The browser's complaints about calls that the API's CORS answers forbid. */
  corsComplaints() {
    return this.console.filter((text) => text.includes('CORS'));
  }

  async close() {
    await this.browser.close();
    this.server.close();
  }
}
