// What every program here begins and ends with. Each takes
//
//   [--walinkd FILE] [--sandbox FILE] [--screenshots DIRECTORY]
//
// and walinkd must be built with `--features sandbox`.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopAll } from './process.mjs';

const target = (path) => fileURLToPath(new URL(`../../../target/${path}`, import.meta.url));

export const { values: options } = parseArgs({
  options: {
    walinkd: { type: 'string', default: target('debug/walinkd') },
    sandbox: { type: 'string', default: target('debug/walinkd-sandbox') },
    screenshots: { type: 'string', default: target('clients') },
  },
});

/** Where a story keeps its files; gone afterwards. */
export const folder = mkdtempSync(join(tmpdir(), 'walinkd-clients-'));

/** One thing that must hold, with its time. */
export async function step(what, act) {
  const started = performance.now();
  try {
    const result = await act();
    console.log(`ok    ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    console.log(`FAIL  ${what}`);
    throw error;
  }
}

/** Plays a story to its end, stops everything, and ends this process. */
export async function play(moral, story) {
  let failed = false;
  mkdirSync(options.screenshots, { recursive: true });
  try {
    await story();
    console.log(`${moral}; pictures are in ${options.screenshots}`);
  } catch (error) {
    failed = true;
    console.error(error);
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
  // Without this a browser left open by a failure would keep Node waiting.
  process.exit(failed ? 1 : 0);
}
