const KEY = 'walinkd-key';

/** The API key; none on the control socket. */
let apiKey = sessionStorage.getItem(KEY);

/** What walinkd refused, in its own words. */
class Refusal extends Error {
  constructor(status, body) {
    super(body?.error ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.code;
    this.retryAfter = body?.retryAfter;
  }
}

/** The daemon did not answer at all. */
class Unreachable extends Error {}

/** One request with the key; what is not a success is thrown. */
async function request(path, { method = 'GET', headers = {}, body, signal } = {}) {
  const all = { ...headers };
  if (apiKey) all['x-api-key'] = apiKey;
  if (body !== undefined) all['content-type'] = 'application/json';
  const sent = body === undefined ? undefined : JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, { method, headers: all, body: sent, signal, cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(word('unreachable'));
  }
  setClock(response);
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => null));
  return response;
}

async function call(method, path, body) {
  const response = await request(path, { method, body });
  try {
    return await response.json();
  } catch {
    // Broken off in the middle.
    throw new Unreachable(word('unreachable'));
  }
}
