// walinkd-sandbox: WhatsApp's server and the phones, through its control API.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './process.mjs';

export class Sandbox {
  static async start(binary, folder) {
    const ready = join(folder, 'sandbox.json');
    const child = new Child('walinkd-sandbox', binary, ['--ready-file', ready], {});
    await child.ready('it tells its addresses', 20, () => existsSync(ready));
    const { url, control } = JSON.parse(readFileSync(ready, 'utf8'));
    return new Sandbox(url, control);
  }

  constructor(url, control) {
    this.url = url;
    this.control = control;
  }

  async addPhone(number, push_name) {
    await this.#call('POST', '/phones', { number, push_name });
    return new Phone(number, (...call) => this.#call(...call));
  }

  /** Something that goes wrong, once or until `mend`. */
  async fault(fault, more = {}) {
    return this.#call('POST', '/faults', { fault, ...more });
  }

  /** Nobody can connect any more, and who was connected no longer is. */
  async cutOff() {
    await this.#call('POST', '/refuse');
    await this.fault({ kind: 'drop', at: 'live' });
  }

  async mend() {
    await this.#call('POST', '/accept');
    await this.#call('DELETE', '/faults');
  }

  async #call(method, path, body) {
    const response = await fetch(`${this.control}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  }
}

class Phone {
  #call;

  constructor(number, call) {
    this.number = number;
    this.#call = call;
  }

  async scan(qr) {
    return this.#call('POST', `/phones/${this.number}/scan`, { qr });
  }

  async enterCode(code) {
    return this.#call('POST', `/phones/${this.number}/code`, { code });
  }

  /** From now on each pairing of this phone's has to pass its passkey. */
  async requirePasskey(gate) {
    return this.#call('POST', `/phones/${this.number}/passkey`, gate);
  }

  /** What the phone shows of the passkey step. */
  async gate() {
    return this.#call('GET', `/phones/${this.number}/passkey`);
  }

  /** What a browser with the phone's test passkey would answer to these options. */
  async answerPasskey(publicKey) {
    return this.#call('POST', `/phones/${this.number}/passkey/answer`, { publicKey });
  }

  /** From now on no passkey is asked for. */
  async waivePasskey() {
    return this.#call('DELETE', `/phones/${this.number}/passkey`);
  }

  /** What the phone shows under Linked devices. */
  async linkedDevices() {
    return (await this.#call('GET', `/phones/${this.number}`)).devices;
  }
}
