// A child process whose output is kept, and which is always ended.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { until } from './wait.mjs';

const running = new Set();

export class Child {
  constructor(name, command, args, env) {
    this.name = name;
    this.output = '';
    this.ended = null;
    this.process = spawn(command, args, { env: { ...plainEnvironment(), ...env } });
    running.add(this);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => (this.output += text));
    }
    this.process.on('error', (error) => (this.ended = error.message));
    this.process.on('exit', (code, signal) => {
      this.ended = signal ?? `status ${code}`;
      running.delete(this);
    });
  }

  /** Waits for `probe`, or fails at once when the process has ended. */
  async ready(what, seconds, probe) {
    const answer = await until(what, seconds, async () => {
      if (this.ended !== null) return 'ended';
      return probe();
    }).catch((error) => {
      throw new Error(`${this.name}: ${error.message}\n${this.output}`);
    });
    if (answer === 'ended') {
      throw new Error(`${this.name} ended with ${this.ended}\n${this.output}`);
    }
    return answer;
  }

  /** SIGTERM, and how it ended; SIGKILL when that takes longer than 10 s. */
  async stop() {
    if (this.ended === null) {
      const exit = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      const impatience = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
      await exit;
      clearTimeout(impatience);
    }
    return this.ended;
  }
}

export async function stopAll() {
  await Promise.all([...running].map((child) => child.stop()));
}

/** A TCP port of 127.0.0.1 that nobody listens on now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Loopback is not reached through a proxy, and nothing steers walinkd unasked. */
function plainEnvironment() {
  const unwanted = /^(.*_proxy|PORT|API_KEY|USE_PAIRING_CODE|PHONE_NUMBER|NOTIFY_SOCKET|WALINKD_.*|.*_DIRECTORY)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
}
