// @ts-check
/** Every page: for everybody, on every screen, quiet, and by keyboard alone. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { Agent } from './support/agent.mjs';
import { DESKTOP, PHONE, SMALL_PHONE, launch, newProfile } from './support/browser.mjs';
import { startDemo } from './support/demo.mjs';
import { decide, freeze, freezeBar, requestPage, signIn, withoutBrowserChecks } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

/** @typedef {import('playwright-core').Page} Page */

const AXE = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** @type {import('./support/demo.mjs').Demo} */
let demo;
/** Cookies of each role; a link signs in only once. @type {Record<string, any>} */
const signedIn = {};
/** @type {{ pending: any, decided: any, amended: any, proposed: any }} */
const requests = { pending: null, decided: null, amended: null, proposed: null };

before(async () => {
  demo = await startDemo();
  const agent = new Agent(demo.url, demo.agent_key);
  const browser = await launch();
  try {
    for (const role of /** @type {const} */ (['approver', 'auditor', 'administrator'])) {
      const someone = await newProfile(browser, demo.url);
      const page = await signIn(someone, demo.sign_in[role]);
      signedIn[role] = await someone.context.storageState();
      if (role === 'approver') {
        requests.pending = await agent.stage(await highRisk(agent));
        requests.decided = await agent.stage(await demo.example());
        await page.goto(requests.decided.review_url);
        await decide(page, 'deny', 'For the pictures.');
        await requestPage(page).recorded.waitFor();
        const body = await demo.example();
        requests.amended = await agent.stage(body);
        await page.goto(requests.amended.review_url);
        await decide(page, 'request_changes', 'Three days are enough.');
        await requestPage(page).recorded.waitFor();
        body.parameters.extend_days = 3;
        body.justification = `${body.justification} Three days only, as was asked for.`;
        await agent.amend(requests.amended.id, body);
        // From here on every page has the bar of a freeze.
        await freeze(page, 'kind:db.export', 'Goes on', 'For the pictures.');
      }
      if (role === 'administrator') requests.proposed = await proposePolicy(page);
      await someone.context.close();
    }
  } finally {
    await browser.close();
  }
});
after(() => demo?.stop());

/**
 * A policy that asks for less waits for a second administrator.
 * @param {Page} page
 */
async function proposePolicy(page) {
  await tryPolicy(page, (text) => text.replace('@quorum("2")', '@quorum("1")'));
  await page.getByRole('textbox', { name: 'Why' }).fill('For the pictures.');
  await page.getByRole('button', { name: 'Propose this policy' }).click();
  await page.getByRole('region', { name: 'What would change' }).waitFor();
  return { review_url: page.url() };
}

/**
 * @param {Page} page
 * @param {(text: string) => string} edit
 */
async function tryPolicy(page, edit) {
  await page.goto('/policy');
  const draft = page.getByLabel('The whole policy, in Cedar');
  await draft.fill(edit(await draft.inputValue()));
  await page.getByRole('button', { name: 'Try it on past requests' }).click();
  await page.getByText('Nothing was changed.').waitFor();
}

/**
 * A body that is high risk: what leaves cannot be called back.
 * @param {Agent} agent
 */
async function highRisk(agent) {
  return (await agent.call('GET', '/api/v1/kinds/db.export')).body.example;
}

/**
 * Each page once, and how to get to it.
 * @type {{ what: string, role?: string, open: (page: Page) => Promise<unknown>, heading: string | RegExp, status?: number }[]}
 */
const PAGES = [
  { what: 'sign-in', open: (page) => page.goto('/sign-in'), heading: 'Sign in' },
  { what: 'a one-time link', open: (page) => page.goto(demo.sign_in.second_approver), heading: 'Sign in with a link' },
  {
    what: 'a sign-in that was refused',
    status: 401,
    heading: 'Sign in',
    open: async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Name').fill('Nobody');
      await page.getByLabel('Password').fill('nothing that anybody has');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  { what: 'the inbox', role: 'approver', open: (page) => page.goto('/inbox'), heading: 'Your turn' },
  {
    what: 'a pending request of high risk',
    role: 'approver',
    heading: /^Export/,
    open: async (page) => {
      await page.goto(requests.pending.review_url);
      await page.getByText('High risk', { exact: true }).first().waitFor();
    },
  },
  {
    what: 'a request with open evidence',
    role: 'approver',
    heading: /^Export/,
    open: async (page) => {
      await page.goto(requests.pending.review_url);
      for (const name of ['explain-analyze.txt', 'columns.csv']) {
        const button = page.getByRole('button', { name: `Open ${name}` });
        if (await button.isVisible()) await requestPage(page).openEvidence(name);
        await page.getByRole('region', { name: `Content of ${name}` }).waitFor();
      }
    },
  },
  {
    what: 'a review that was refused',
    role: 'approver',
    status: 422,
    heading: /^Export/,
    open: async (page) => {
      await page.goto(requests.pending.review_url);
      await withoutBrowserChecks(page);
      await decide(page, 'approve', '   ');
      await requestPage(page).problem.filter({ hasText: 'Say why' }).waitFor();
    },
  },
  { what: 'a decided request', role: 'approver', open: (page) => page.goto(requests.decided.review_url), heading: /^Extend/ },
  { what: 'a request for somebody who cannot review it', role: 'auditor', open: (page) => page.goto(requests.pending.review_url), heading: /^Export/ },
  {
    what: 'a request that was amended',
    role: 'approver',
    heading: /^Extend/,
    open: async (page) => {
      await page.goto(requests.amended.review_url);
      await requestPage(page).changes.waitFor();
    },
  },
  { what: 'a request that waits for changes', role: 'approver', heading: /^Release search-api/, open: (page) => openFirst(page, 'changes_requested') },
  { what: 'a running execution', role: 'approver', heading: /./, open: (page) => openFirst(page, 'executing') },
  { what: 'an outcome that nobody knows', role: 'approver', heading: /./, open: (page) => openFirst(page, 'outcome_unknown') },
  { what: 'an execution that was halted', role: 'approver', heading: /./, open: (page) => openFirst(page, 'halted') },
  { what: 'a revoked release', role: 'approver', heading: /./, open: (page) => openFirst(page, 'revoked') },
  {
    what: 'a broken glass whose second review is owed',
    role: 'approver',
    heading: /^Change fw-edge-01/,
    open: async (page) => {
      await page.goto('/inbox');
      await page.getByRole('main').getByRole('link', { name: /^Change fw-edge-01/ }).click();
      await page.getByRole('button', { name: 'Record second review' }).waitFor();
    },
  },
  { what: 'the reference', open: (page) => page.goto('/reference'), heading: 'API reference' },
  { what: 'the freezes', role: 'approver', open: (page) => page.goto('/freezes'), heading: 'Freeze' },
  { what: 'the freezes for an administrator', role: 'administrator', open: (page) => page.goto('/freezes'), heading: 'Freeze' },
  {
    what: 'a freeze that was refused',
    role: 'approver',
    status: 422,
    heading: 'Freeze',
    open: async (page) => {
      await page.goto('/freezes');
      await page.getByRole('button', { name: 'Freeze now' }).evaluate((button) => {
        const { form } = /** @type {HTMLButtonElement} */ (button);
        if (form) form.noValidate = true;
      });
      await page.getByRole('button', { name: 'Freeze now' }).click();
      await page.getByRole('alert').filter({ hasText: 'Choose what to freeze.' }).waitFor();
    },
  },
  { what: 'the history', role: 'approver', open: (page) => page.goto('/history'), heading: 'History' },
  { what: 'a search that finds nothing', role: 'approver', open: (page) => page.goto('/history?q=no-such-thing'), heading: 'History' },
  { what: 'the ledger', role: 'auditor', open: (page) => page.goto('/ledger'), heading: 'Ledger' },
  { what: 'the ledger for somebody who may not read it', role: 'approver', status: 403, open: (page) => page.goto('/ledger'), heading: 'Not for you' },
  { what: 'the agents', role: 'administrator', open: (page) => page.goto('/agents'), heading: 'Agents' },
  { what: 'the people', role: 'administrator', open: (page) => page.goto('/people'), heading: 'People' },
  {
    what: 'a secret that is shown once',
    role: 'administrator',
    heading: /^A link for/,
    open: async (page) => {
      await page.goto('/people');
      await page.getByLabel('Name').fill(`Reader ${Math.floor(performance.now())}`);
      await page.getByRole('button', { name: 'Add person' }).click();
      await page.getByRole('heading', { level: 1, name: /^A link for/ }).waitFor();
    },
  },
  { what: 'the kinds', role: 'approver', open: (page) => page.goto('/kinds'), heading: 'Kinds' },
  { what: 'a kind to be changed', role: 'administrator', open: (page) => page.goto('/kinds?change=db.export#put'), heading: 'Kinds' },
  { what: 'the policy', role: 'approver', open: (page) => page.goto('/policy'), heading: 'Policy' },
  {
    what: 'a policy that was tried',
    role: 'administrator',
    heading: 'Policy',
    open: (page) => tryPolicy(page, (text) => text.replace('@quorum("2")', '@quorum("1")')),
  },
  {
    what: 'a policy that was refused',
    role: 'administrator',
    status: 422,
    heading: 'Policy',
    open: (page) => tryPolicy(page, (text) => text.replaceAll('@quorum("1")', '@quorum("one")')),
  },
  {
    what: 'a change to the policy',
    role: 'administrator',
    open: (page) => page.goto(requests.proposed.review_url),
    heading: 'Replace version 1 of the policy',
  },
  { what: 'the webhooks', role: 'administrator', open: (page) => page.goto('/settings/webhooks'), heading: 'Webhooks' },
  { what: 'the settings', role: 'approver', open: (page) => page.goto('/settings'), heading: 'Settings' },
  { what: 'an address where nothing is', role: 'approver', status: 404, open: (page) => page.goto('/no/such/page'), heading: 'Nothing here' },
  { what: 'an address where nothing is, signed out', status: 404, open: (page) => page.goto('/no/such/page'), heading: 'Nothing here' },
];

/**
 * The newest request in a state.
 * @param {Page} page
 * @param {string} state
 */
async function openFirst(page, state) {
  await page.goto(`/history?state=${state}`);
  await page.getByRole('main').getByRole('listitem').first().getByRole('link').click();
  await page.getByRole('complementary', { name: 'Decision' }).waitFor();
}

/**
 * Serious and critical findings of axe, one line each.
 * @param {Page} page
 */
async function findings(page) {
  // Evaluated, not added as a script: the content security policy of the page stays as it is.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    // @ts-expect-error axe puts itself there
    const { violations } = await globalThis.axe.run(document, {
      resultTypes: ['violations'],
      rules: { 'target-size': { enabled: true } },
    });
    return violations
      .filter((/** @type {any} */ { impact }) => impact === 'serious' || impact === 'critical')
      .flatMap((/** @type {any} */ { id, nodes }) =>
        nodes.map((/** @type {any} */ node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary?.split('\n')[1]?.trim().slice(0, 200)})`),
      );
  });
}

/**
 * Whether the page is wider than the screen, and which elements make it so.
 * @param {Page} page
 */
function tooWide(page) {
  return page.evaluate(() => {
    const { scrollWidth } = document.scrollingElement ?? document.documentElement;
    if (scrollWidth <= innerWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5);
    return [`${scrollWidth} > ${innerWidth}`, ...wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 160))];
  });
}

/** @param {Page} page */
function unfold(page) {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}

for (const { what, role, status, open, heading } of PAGES) {
  scenario(
    `R07 W08 ${what}: axe finds nothing serious in light and dark, nothing scrolls sideways, nothing complains`,
    async ({ profile }) => {
      const someone = await profile({ storageState: role && signedIn[role], reducedMotion: 'reduce' });
      if (status) someone.expect(status);
      const page = await someone.context.newPage();
      await open(page);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.locator('body[data-hydrated]').waitFor();
      /** @type {Record<string, string[]>} */
      const found = {};
      for (const [viewport, colorScheme] of /** @type {const} */ ([[DESKTOP, 'light'], [PHONE, 'dark']])) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        found[`axe, ${viewport.width}, ${colorScheme}`] = await findings(page);
      }
      await page.emulateMedia({ colorScheme: 'light' });
      await unfold(page);
      for (const viewport of [PHONE, SMALL_PHONE]) {
        await page.setViewportSize(viewport);
        found[`width ${viewport.width}`] = await tooWide(page);
      }
      found['axe, 320, light, everything unfolded'] = await findings(page);
      const bad = Object.fromEntries(
        Object.entries(found)
          .filter(([, lines]) => lines.length > 0)
          .map(([where, lines]) => [where, [...new Set(lines)]]),
      );
      assert.deepEqual(bad, {});
    },
    { demo: () => demo },
  );
}

scenario(
  'R07 without JavaScript no page scrolls sideways at 320 and 390 px, and none complains',
  async ({ profile }) => {
    /** @type {Record<string, string[]>} */
    const bad = {};
    for (const role of [undefined, ...Object.keys(signedIn)]) {
      const someone = await profile({ javaScript: false, storageState: role && signedIn[role] });
      const page = await someone.context.newPage();
      for (const { what, status, open } of PAGES.filter((each) => each.role === role)) {
        if (status) someone.expect(status);
        await page.setViewportSize(PHONE);
        await open(page);
        await unfold(page);
        for (const viewport of [PHONE, SMALL_PHONE]) {
          await page.setViewportSize(viewport);
          const wide = await tooWide(page);
          if (wide.length > 0) bad[`${what}, ${viewport.width}`] = wide;
        }
      }
    }
    assert.deepEqual(bad, {});
  },
  { demo: () => demo },
);

/**
 * What has the focus, and whether a sighted person can tell: inside the window, uncovered, outlined.
 * @param {Page} page
 */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const shadow = style.boxShadow !== 'none';
    const parent = element.closest('label');
    const labelStyle = parent && getComputedStyle(parent);
    const labelRing = labelStyle !== null && labelStyle.outlineStyle !== 'none' && parseFloat(labelStyle.outlineWidth) >= 2;
    const box = element.getBoundingClientRect();
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    // WCAG 2.4.11: not entirely covered by anything else.
    const points = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [box.left + box.width * x, box.top + box.height * y]));
    const uncovered = points.some(([x, y]) => {
      const top = document.elementFromPoint(x ?? 0, y ?? 0);
      return top !== null && (element.contains(top) || top.contains(element));
    });
    const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels?.[0]?.textContent : element.textContent;
    return {
      name: (element.getAttribute('aria-label') ?? label ?? '').replace(/\s+/g, ' ').trim(),
      visible: (ring || shadow || labelRing) && inside && uncovered,
      why: { ring, shadow, labelRing, inside, uncovered },
    };
  });
}

for (const javaScript of [true, false]) {
  for (const viewport of [DESKTOP, PHONE]) {
    scenario(
      `R07 W14 by keyboard alone: Tab reaches the form with a visible focus, Enter in the reason sends nothing, Space decides (JavaScript ${javaScript ? 'on' : 'off'}, ${viewport.width}x${viewport.height})`,
      async ({ agent, profile }) => {
        const staged = await agent.stage(await demo.example());
        const someone = await profile({ javaScript, viewport, storageState: signedIn.approver });
        const page = await someone.context.newPage();
        await page.goto(staged.review_url);
        const request = requestPage(page);
        assert.equal(await focused(page), null, 'W14: nothing has the focus at first');

        /** @type {string[]} */
        const names = [];
        /** @param {string} name */
        const tabTo = async (name) => {
          for (let presses = 0; presses < 80; presses += 1) {
            await page.keyboard.press('Tab');
            const now = await focused(page);
            if (now === null) continue;
            names.push(now.name);
            assert.ok(now.visible, `the focus on '${now.name}' can be seen: ${JSON.stringify(now.why)}`);
            if (now.name === name) return;
          }
          assert.fail(`Tab never reaches '${name}': ${names.join(' | ')}`);
        };
        await tabTo('Skip to content');
        assert.deepEqual(names, ['Skip to content'], 'the first Tab offers to skip');
        await tabTo('Approve');
        assert.equal(await request.approve.isChecked(), false, 'reaching it chooses nothing');
        await page.keyboard.press('Space');
        assert.equal(await request.approve.isChecked(), true);
        await tabTo('Why');
        await page.keyboard.type('First line');
        await page.keyboard.press('Enter');
        await page.keyboard.type('second line');
        assert.equal(await request.why.inputValue(), 'First line\nsecond line');
        assert.equal((await agent.read(staged.id)).state, 'pending', 'W14: Enter sends nothing');
        await tabTo('Record decision');
        await page.keyboard.press('Space');
        await request.recorded.waitFor();
        assert.equal((await agent.read(staged.id)).state, 'approved');
      },
      { demo: () => demo },
    );
  }
}

for (const javaScript of [true, false]) {
  scenario(
    `R07 on the smallest phone a freeze is in sight at the top of every page, and one tap away from freezing (JavaScript ${javaScript ? 'on' : 'off'})`,
    async ({ profile }) => {
      const someone = await profile({ javaScript, viewport: SMALL_PHONE, storageState: signedIn.approver });
      const page = await someone.context.newPage();
      for (const { what, open } of PAGES.filter(({ role, status }) => role === 'approver' && !status)) {
        await open(page);
        await page.evaluate(() => scrollTo(0, 0));
        const bar = await freezeBar(page).boundingBox();
        assert.ok(bar && bar.y >= 0 && bar.y + bar.height <= SMALL_PHONE.height, `${what}: ${JSON.stringify(bar)}`);
        const link = page.getByRole('navigation').getByRole('link', { name: 'Freeze', exact: true });
        const box = await link.boundingBox();
        assert.ok(box && box.x >= 0 && box.x + box.width <= SMALL_PHONE.width, `${what}: ${JSON.stringify(box)}`);
      }
    },
    { demo: () => demo },
  );
}

scenario(
  'W08 the watch of these tests hears an inline handler, a foreign picture and an uncaught error',
  async ({ profile }) => {
    const someone = await profile();
    const page = await someone.context.newPage();
    await page.goto('/sign-in');
    someone.assertQuiet();
    await page.evaluate(() => {
      const button = document.createElement('button');
      button.setAttribute('onclick', 'globalThis.ran = true');
      document.body.append(button);
      button.click();
      const image = document.createElement('img');
      image.src = 'http://127.0.0.1:9/x.png';
      document.body.append(image);
      setTimeout(() => {
        throw new Error('uncaught on purpose');
      });
      return new Promise((done) => image.addEventListener('error', done));
    });
    assert.equal(await page.evaluate(() => 'ran' in globalThis), false, 'the policy holds');
    for (const said of [/inline event handler/i, /127\.0\.0\.1:9/, /uncaught on purpose/]) {
      assert.ok(someone.problems.some((problem) => said.test(problem)), `${said} in ${someone.problems.join('\n')}`);
    }
    someone.problems.length = 0;
  },
  { demo: () => demo },
);
