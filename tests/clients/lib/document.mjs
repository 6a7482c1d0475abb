// The examples, taken out of connection-api.md and README.md as they stand there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const DOCUMENT = new URL('../connection-api.md', import.meta.url);
const README = new URL('../../../README.md', import.meta.url);

/** The code of README.md in this language that has these words in it. */
export function readme(words, language = 'js') {
  const text = readFileSync(README, 'utf8');
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  const blocks = [...text.matchAll(fence)].map((block) => block[1]);
  const found = blocks.filter((code) => code.includes(words));
  assert.equal(found.length, 1, `README.md has one example with ${words}`);
  return found[0];
}

/** What a reader of the document replaces by their own, and nothing else. */
const EXAMPLE_KEYS = [
  "'daa8ce0ff449a97c15a9159156cfb20a48bda1037450457f1c26e19159d7818a'",
  "'YOUR_API_KEY'",
];
const EXAMPLE_URL = "'http://localhost:3000'";

/** The code under `### Example N: …`, with the reader's own key and address. */
export function example(number, { key, url }) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const section = text.split(/^### /m).find((part) => part.startsWith(`Example ${number}:`));
  assert(section, `the document has no Example ${number}`);
  const block = section.match(/^```\w+\n(.*?)^```$/ms);
  assert(block, `Example ${number} has no code`);
  return personalised(block[1], key, url);
}

function personalised(code, key, url) {
  const placeholder = EXAMPLE_KEYS.find((candidate) => code.includes(candidate));
  assert(placeholder, 'the example has no API key to fill in');
  assert.equal(code.split(placeholder).length, 2, 'the example has one API key to fill in');
  assert.equal(code.split(EXAMPLE_URL).length, 2, 'the example has one address to fill in');
  const own = code.replace(placeholder, `'${key}'`).replace(EXAMPLE_URL, `'${url}'`);
  const back = own.replace(`'${url}'`, EXAMPLE_URL).replace(`'${key}'`, placeholder);
  assert.equal(back, code, 'nothing but the key and the address differs from the document');
  return own;
}
