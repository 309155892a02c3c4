// @ts-check
/** A demo server of its own for each scenario: seeded, on a free port, gone afterwards. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { borrowDatabase } from './database.mjs';

const BINARY = resolve(
  import.meta.dirname,
  '..',
  process.env.COUNTERSIGN_BIN ?? '../target/debug/countersign',
);
/** Scenarios stage the example several times, and faster than an agent should. */
const UNLIMITED = {
  COUNTERSIGN_AGENT_CALLS: '0',
  COUNTERSIGN_AGENT_OPEN_REQUESTS: '0',
  COUNTERSIGN_AGENT_DUPLICATES: 'true',
  COUNTERSIGN_AGENT_COOL_DOWN: '0',
};
const START_MS = 60_000;
const STOP_MS = 15_000;

/**
 * What `countersign demo --print-json` prints.
 * @typedef {{
 *   url: string, agent_key: string, executor_key: string, auditor_key: string,
 *   sign_in: { approver: string, second_approver: string, auditor: string, administrator: string },
 *   password: string, example_curl: string, database: string, keys: string, data_dir: string,
 * }} Handout
 *
 * @typedef {Handout & {
 *   example: () => Promise<any>,
 *   stderr: () => string,
 *   stop: () => Promise<void>,
 * }} Demo
 */

/**
 * Starts the product and waits for its one line of JSON.
 * @returns {Promise<Demo>}
 */
export async function startDemo() {
  const { options, giveBack } = await borrowDatabase();
  const child = spawn(BINARY, ['demo', '--print-json', '--listen', '127.0.0.1:0', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...UNLIMITED },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  /** @type {Promise<{ code: number | null, signal: string | null }>} */
  const exited = new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => done({ code, signal }));
  });
  const lines = createInterface({ input: child.stdout });
  const first = new Promise((done) => lines.once('line', done));
  const line = await within(START_MS, 'the demo to print its line', () =>
    Promise.race([
      first,
      exited.then(({ code, signal }) => {
        throw new Error(`the demo ended early (${code ?? signal}):\n${stderr}`);
      }),
    ]),
  ).catch(async (error) => {
    child.kill('SIGKILL');
    await giveBack();
    throw error;
  });
  /** @type {Handout} */
  const handout = JSON.parse(line);

  return {
    ...handout,
    example: async () => JSON.parse(await readFile(join(handout.data_dir, 'request.json'), 'utf8')),
    stderr: () => stderr,
    stop: async () => {
      child.kill('SIGTERM');
      const end = await within(STOP_MS, 'the demo to stop', () => exited).catch((error) => {
        child.kill('SIGKILL');
        throw error;
      }).finally(giveBack);
      assert.deepEqual(end, { code: 0, signal: null }, `SIGTERM ends the server well:\n${stderr}`);
    },
  };
}

/**
 * Waits for `work`, but not for ever.
 * @template T
 * @param {number} ms
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function within(ms, what, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
