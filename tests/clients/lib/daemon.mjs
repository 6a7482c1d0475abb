// walinkd itself, and its API as plain requests.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, freePort } from './process.mjs';

export class Daemon {
  static async start(binary, folder, { key, sandboxUrl, port, env = {}, more = [] }) {
    port ??= await freePort();
    const config = join(folder, 'walinkd.toml');
    writeFileSync(
      config,
      [
        '[http]',
        `listen = ["127.0.0.1:${port}"]`,
        '[control]',
        `socket = "${join(folder, 'control.sock')}"`,
        '[whatsapp]',
        `url = "${sandboxUrl}"`,
        '[storage]',
        `state_dir = "${join(folder, 'state')}"`,
        '[log]',
        'level = "debug"',
        'target = "stderr"',
        ...more,
        '',
      ].join('\n'),
    );
    const child = new Child('walinkd', binary, ['--config', config], { API_KEY: key, ...env });
    const daemon = new Daemon(child, `http://localhost:${port}`, key);
    daemon.socket = join(folder, 'control.sock');
    await child.ready('GET /livez answers', 20, async () => (await fetch(`${daemon.url}/livez`)).ok);
    return daemon;
  }

  constructor(child, url, key) {
    this.child = child;
    this.url = url;
    this.key = key;
  }

  /** One call: status code and body. */
  async call(method, path, { body, headers = { 'x-api-key': this.key } } = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    return { code: response.status, headers: response.headers, body: await response.json().catch(() => null) };
  }

  /** `data` of the status; throws when there is none. */
  async status() {
    return (await this.call('GET', '/connection/status')).body.data;
  }

  /** Waits until the status is as `holds` wants it. */
  async statusIs(what, seconds, holds) {
    return this.child.ready(what, seconds, async () => {
      const status = await this.status();
      return holds(status) && status;
    });
  }
}
