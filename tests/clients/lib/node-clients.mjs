// Examples 2 and 3 in Node, with what the document leaves to its reader:
// displayQRCode() and sendAlert().

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './process.mjs';

const AsyncFunction = async function () {}.constructor;

/** Runs Example 2 once: its `bot`, and the QR codes it showed. */
export async function runMobileApp(code) {
  const displayed = [];
  const run = new AsyncFunction('displayQRCode', `${code}\nreturn bot;`);
  const bot = await run((qr) => displayed.push(qr));
  return { bot, displayed };
}

/** Half a minute of the script passes in a second. */
const ITS_INTERVAL_MS = 30_000;
const FASTER = 30;

const GLUE = `
globalThis.sendAlert = async (text) => console.log('ALERT', text);
const { setInterval } = globalThis;
globalThis.setInterval = (task, ms, ...rest) =>
  setInterval(task, ms === ${ITS_INTERVAL_MS} ? ms / ${FASTER} : ms, ...rest);
`;

/** Example 3 as a process of its own, which is what it is written as. */
export class AutoReconnect {
  constructor(code, folder) {
    const home = join(folder, 'auto-reconnect');
    mkdirSync(home);
    writeFileSync(join(home, 'auto-reconnect.js'), code);
    writeFileSync(join(home, 'glue.js'), GLUE);
    this.child = new Child(
      'auto-reconnect.js',
      process.execPath,
      ['--dns-result-order=ipv4first', '--require', join(home, 'glue.js'), join(home, 'auto-reconnect.js')],
      { NODE_PATH: fileURLToPath(new URL('../node_modules', import.meta.url)) },
    );
  }

  /** Waits until it has printed `text` after this call. */
  async says(text, seconds) {
    const seen = this.child.output.length;
    return this.child.ready(`it says "${text}"`, seconds, () => this.child.output.slice(seen).includes(text));
  }
}
