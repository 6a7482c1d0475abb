/** Heartbeats come every 15 s; who has heard nothing for this long is alone. */
const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

/** The stream of events: the status first, and again whenever it changes. */
class Stream {
  #closed = false;
  /** Of the connection that is open. */
  #controller = null;
  #last = null;
  #hurry = () => {};

  /** `tell` has `opened(right)`, `told(type, data)`, `lost(error, ms)` and `refused(error)`. */
  constructor(tell) {
    this.tell = tell;
  }

  close() {
    this.#closed = true;
    this.#controller?.abort();
    this.#hurry();
  }

  /** Ends the wait for the next try. */
  retry() {
    this.#hurry();
  }

  /** Goes on until it is closed, or the key is no key. */
  async follow() {
    let failures = 0;
    while (!this.#closed) {
      let error = null;
      try {
        await this.#read(() => (failures = 0));
      } catch (thrown) {
        error = thrown;
      }
      if (this.#closed) return;
      if (error instanceof Refusal && error.status === 403) return this.tell.refused(error);
      const ms = this.#pause(failures, error);
      // What has merely ended, at a restart for one, may be there again at once.
      if (failures > 0 || error) this.tell.lost(error, ms);
      failures += 1;
      await this.#wait(ms);
    }
  }

  /** Longer each time, and not the same for all the pages that are open. */
  #pause(failures, error) {
    const doubled = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
    const asked = (error?.retryAfter ?? 0) * 1000;
    return Math.max(asked, doubled * (0.75 + Math.random() / 4));
  }

  #wait(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One connection, to its end. */
  async #read(opened) {
    const controller = new AbortController();
    const { signal } = controller;
    const gone = () => controller.abort();
    this.#controller = controller;
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(gone, SILENCE_MS);
    };
    heard();
    addEventListener('offline', gone);
    try {
      const headers = this.#last === null ? {} : { 'last-event-id': this.#last };
      const response = await request('/connection/events?status=live', { headers, signal });
      this.tell.opened(response.headers.get('x-walinkd-right'));
      opened();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ''; ; ) {
        const { value, done } = await reader.read();
        if (done) return;
        heard();
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        blocks.forEach((block) => this.#block(block));
      }
    } finally {
      clearTimeout(timer);
      removeEventListener('offline', gone);
    }
  }

  #block(block) {
    const fields = Object.fromEntries(
      block.split('\n').map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)];
      }),
    );
    if (fields.id) this.#last = fields.id;
    if (fields.data) this.tell.told(fields.event, JSON.parse(fields.data));
  }
}
