// @ts-check
/** Which database the servers of these tests have: a file of their own, or one on PostgreSQL. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const DATABASE = process.env.COUNTERSIGN_TEST_DATABASE ?? 'sqlite';
assert.match(DATABASE, /^(sqlite|postgres)$/, 'COUNTERSIGN_TEST_DATABASE is sqlite or postgres');

const LENDER = resolve(
  import.meta.dirname,
  '..',
  process.env.COUNTERSIGN_LEND_POSTGRES ?? '../target/debug/examples/lend_postgres',
);

/**
 * What tells a demo where its data goes, and the end of the loan.
 * @returns {Promise<{ options: string[], giveBack: () => Promise<void> }>}
 */
export async function borrowDatabase() {
  if (DATABASE === 'sqlite') return { options: [], giveBack: async () => {} };
  const lender = spawn(LENDER, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(lender, 'exit');
  const lines = createInterface({ input: lender.stdout });
  const [url] = await Promise.race([
    once(lines, 'line'),
    ended.then(([code]) => {
      throw new Error(`no database: ${LENDER} ended with ${code}`);
    }),
  ]);
  return {
    options: ['--database', url],
    giveBack: async () => {
      lender.stdin.end();
      await ended;
    },
  };
}
