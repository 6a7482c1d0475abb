// The three small clients of README.md, as they stand there, wait for a link: in a
// shell, in JavaScript and in Python.
//
//   node linked.mjs [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Daemon } from './lib/daemon.mjs';
import { readme } from './lib/document.mjs';
import { Sandbox } from './lib/sandbox.mjs';
import { folder, options, play, step } from './lib/story.mjs';
import { until } from './lib/wait.mjs';

const NUMBER = '6281234567890';
const SECONDS = 30;

const key = randomBytes(32).toString('hex');

/** A client: what it has shown so far, and what it gives in the end. */
function program(command, ...words) {
  const shown = [];
  const child = spawn(command, words);
  let out = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => shown.push(String(data)));
  const ended = new Promise((resolve) => child.on('close', (status) => resolve({ status, out: out.trim() })));
  return { shown, ended };
}

const CLIENTS = {
  shell: (url, withKey) => {
    const code = `${readme('linked() {', 'sh')}\nlinked "$1" "$2"`;
    return program('bash', '-c', code, 'bash', url, withKey);
  },
  Python: (url, withKey) => {
    const show = 'lambda *told: print(*told, file=sys.stderr, flush=True)';
    const code = `import sys\n${readme('def linked(', 'python')}\nprint(linked(*sys.argv[1:3], ${show}))`;
    return program('python3', '-c', code, url, withKey);
  },
  JavaScript: (url, withKey) => {
    const shown = [];
    const linked = new Function(`${readme('async function linked(')}; return linked;`)();
    const done = linked(url, withKey, (...told) => shown.push(told.join(' ')));
    const ended = done.then(
      (out) => ({ status: 0, out }),
      (error) => ({ status: 1, out: error.message }),
    );
    return { shown, ended };
  },
};

async function story() {
  const sandbox = await Sandbox.start(options.sandbox, folder);
  const phone = await sandbox.addPhone(NUMBER);
  const daemon = await Daemon.start(options.walinkd, folder, { key, sandboxUrl: sandbox.url });
  const clients = Object.entries(CLIENTS).map(([name, begin]) => [name, begin(daemon.url, key)]);

  await step('each shows what a person should do', async () => {
    for (const [name, { shown }] of clients) {
      await until(`${name} shows the state`, SECONDS, async () => shown.join(' ').includes('waiting_qr'));
      await until(`${name} shows what to do`, SECONDS, async () => /Scan the QR code/i.test(shown.join(' ')));
    }
  });
  await step('each gives the number when the phone has linked', async () => {
    const { body } = await daemon.call('GET', '/connection/qr');
    await phone.scan(body.data.qrCode);
    for (const [name, { ended }] of clients) {
      assert.deepEqual([name, await ended], [name, { status: 0, out: NUMBER }]);
    }
  });
  await step('none goes on with a wrong key', async () => {
    for (const [name, begin] of Object.entries(CLIENTS)) {
      const { status, out } = await begin(daemon.url, 'a-wrong-key').ended;
      assert(!out.includes(NUMBER), `${name}: ${out}`);
      assert(status !== 0 || /key/i.test(out), `${name}: ${status} ${out}`);
    }
  });
}

await play('the clients of README.md wait for a link', story);
