// Waiting on conditions, with a deadline, and telling what was waited for.

const PROBE_EVERY_MS = 50;

/**
 * Probes until the result is truthy, and gives that result. A probe that throws
 * counts as "not yet"; what it threw is told when the time is up.
 */
export async function until(what, seconds, probe) {
  const deadline = performance.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${seconds} s: ${what}; last seen: ${show(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
  }
}

function show(value) {
  return value instanceof Error ? value.message : JSON.stringify(value);
}
