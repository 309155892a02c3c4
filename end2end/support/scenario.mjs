// @ts-check
/** A test with a server, a browser and, when it fails, what they last said. */
import { after, before, test } from 'node:test';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from './agent.mjs';
import { launch, newProfile } from './browser.mjs';
import { DATABASE } from './database.mjs';
import { startDemo } from './demo.mjs';

const RESULTS = join(import.meta.dirname, '..', 'results', DATABASE);

/** @type {import('playwright-core').Browser | undefined} */
let browser;

before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

/**
 * What a scenario has at hand.
 * @typedef {{
 *   t: import('node:test').TestContext,
 *   demo: import('./demo.mjs').Demo,
 *   agent: Agent,
 *   profile: (options?: import('./browser.mjs').ProfileOptions) => Promise<import('./browser.mjs').Profile>,
 * }} Stage
 */

/**
 * A test whose name says what must hold. Its server is its own unless `demo` lends one; every page
 * that it opens must have been quiet at the end.
 *
 * @param {string} name
 * @param {(stage: Stage) => Promise<void>} play
 * @param {{ demo?: () => import('./demo.mjs').Demo }} [options]
 */
export function scenario(name, play, { demo: lent } = {}) {
  test(name, { timeout: 120_000 }, async (t) => {
    const demo = lent ? lent() : await startDemo();
    /** @type {import('./browser.mjs').Profile[]} */
    const profiles = [];
    const profile = async (/** @type {any} */ options) => {
      if (!browser) throw new Error('there is no browser');
      const made = await newProfile(browser, demo.url, options);
      profiles.push(made);
      return made;
    };
    try {
      await play({ t, demo, agent: new Agent(demo.url, demo.agent_key), profile });
      for (const made of profiles) made.assertQuiet();
    } catch (error) {
      await keep(name, demo, profiles).catch((lost) => t.diagnostic(`nothing kept: ${lost}`));
      throw error;
    } finally {
      await Promise.all(profiles.map(({ context }) => context.close()));
      if (!lent) await demo.stop();
    }
  });
}

/**
 * Screenshots, pages and the server's log into `results/`.
 * @param {string} name
 * @param {import('./demo.mjs').Demo} demo
 * @param {import('./browser.mjs').Profile[]} profiles
 */
async function keep(name, demo, profiles) {
  const directory = join(RESULTS, name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 120));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'server.stderr.txt'), demo.stderr());
  for (const [who, { context, log, problems }] of profiles.entries()) {
    const said = ['problems:', ...problems, '', 'console:', ...log, ''].join('\n');
    await writeFile(join(directory, `${who}.console.txt`), said);
    for (const [index, page] of context.pages().entries()) {
      const file = join(directory, `${who}.${index}`);
      await writeFile(`${file}.html`, `<!-- ${page.url()} -->\n${await page.content()}`);
      await page.screenshot({ path: `${file}.png`, fullPage: true, timeout: 10_000 });
    }
  }
}
