// @ts-check
/** What people do in the browser, by the roles and labels that they see. */

/** @typedef {import('playwright-core').Page} Page */

/**
 * Opens a one-time link and presses its button.
 * @param {import('./browser.mjs').Profile} profile
 * @param {string} link
 * @returns {Promise<Page>}
 */
export async function signIn(profile, link) {
  const page = await profile.context.newPage();
  await page.goto(link);
  await page.getByRole('button', { name: /^Sign in as / }).click();
  await page.getByRole('heading', { level: 1, name: 'Your turn' }).waitFor();
  return page;
}

/**
 * Signs in by name and password.
 * @param {import('./browser.mjs').Profile} profile
 * @param {string} name
 * @param {string} password
 * @returns {Promise<Page>}
 */
export async function signInByPassword(profile, name, password) {
  const page = await profile.context.newPage();
  await page.goto('/sign-in');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Your turn' }).waitFor();
  return page;
}

/**
 * The parts of the page of one request.
 * @param {Page} page
 */
export function requestPage(page) {
  const region = (/** @type {string | RegExp} */ name) => page.getByRole('region', { name });
  const decision = page.getByRole('complementary', { name: 'Decision' });
  return {
    effect: page.getByRole('heading', { level: 1 }),
    action: region('Exactly what will run'),
    evidence: region('Evidence'),
    timeline: region('Timeline'),
    outcome: region('Outcome'),
    decision,
    whatHappened: decision.getByRole('region', { name: 'What happened' }),
    approve: decision.getByRole('radio', { name: 'Approve' }),
    deny: decision.getByRole('radio', { name: 'Deny' }),
    request_changes: decision.getByRole('radio', { name: 'Request changes' }),
    pass: decision.getByRole('radio', { name: 'Pass on' }),
    changes: region(/^Changed since/),
    brokenGlass: decision.getByRole('region', { name: 'Broken glass' }),
    /**
     * Opens what stands closed under `name`, and answers with the form in it.
     * @param {string} name
     */
    open: async (name) => {
      const deed = decision.getByRole('group').filter({ has: page.getByText(`${name}…`, { exact: true }) });
      await deed.getByText(`${name}…`, { exact: true }).click();
      return deed;
    },
    why: decision.getByRole('textbox', { name: 'Why' }),
    record: decision.getByRole('button', { name: 'Record decision' }),
    problem: decision.getByRole('alert'),
    recorded: page.getByRole('status').filter({ hasText: 'Recorded.' }),
    /** @param {string} name of a piece of evidence */
    openEvidence: async (name) => {
      await page.getByRole('button', { name: `Open ${name}` }).click();
      await page.getByRole('region', { name: `Content of ${name}` }).waitFor();
    },
  };
}

/**
 * The row of one request in a list of them.
 * @param {Page} page
 * @param {string} id
 */
export function requestRow(page, id) {
  return page.getByRole('main').getByRole('listitem').filter({ has: page.locator(`a[href="/requests/${id}"]`) });
}

/**
 * Fills the form in and sends it.
 * @param {Page} page
 * @param {'approve' | 'request_changes' | 'deny' | 'pass'} verdict
 * @param {string} why
 */
export async function decide(page, verdict, why) {
  const request = requestPage(page);
  await request[verdict].check();
  await request.why.fill(why);
  await request.record.click();
}

/**
 * Takes the browser's own checks out of the form, so that the server's answer is seen.
 * @param {Page} page
 */
export async function withoutBrowserChecks(page) {
  const form = requestPage(page).record;
  await form.evaluate((button) => {
    const { form } = /** @type {HTMLButtonElement} */ (button);
    if (form) form.noValidate = true;
  });
}

/**
 * The text of an element with its white space in order.
 * @param {import('playwright-core').Locator} locator
 */
export async function textOf(locator) {
  return ((await locator.textContent()) ?? '').replace(/\s+/g, ' ').trim();
}

/**
 * The bar that stands on every page while something is frozen.
 * @param {Page} page
 */
export function freezeBar(page) {
  return page.getByRole('complementary', { name: 'Freeze' });
}

/**
 * Freezes, from wherever the person is, in as few steps as there are.
 * @param {Page} page
 * @param {string} scope the value of a choice: `all`, or a sort and a name
 * @param {'Goes on' | 'Is told to halt'} running
 * @param {string} why
 */
export async function freeze(page, scope, running, why) {
  await page.getByRole('navigation').getByRole('link', { name: 'Freeze', exact: true }).click();
  await page.getByLabel('What', { exact: true }).selectOption(scope);
  await page.getByRole('radio', { name: running }).check();
  await page.getByRole('textbox', { name: 'Why' }).fill(why);
  await page.getByRole('button', { name: 'Freeze now' }).click();
  await freezeBar(page).waitFor();
}
