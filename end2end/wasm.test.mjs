// @ts-check
/** What the islands add, and that nothing needs them. */
import assert from 'node:assert/strict';
import { DESKTOP, PHONE } from './support/browser.mjs';
import { decide, requestPage, signIn, textOf } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

const DRAFT = 'Half a sentence, to be finished after reading the';

/**
 * The island's form of an instant, by the same standard library; a deadline names its zone.
 * @param {string} machine
 * @param {boolean} zoned
 */
function inKolkata(machine, zoned) {
  const form = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: 'Asia/Kolkata',
    timeZoneName: zoned ? 'short' : undefined,
  });
  return form.format(new Date(machine)).replace(',', '');
}

for (const viewport of [DESKTOP, PHONE]) {
  const size = `${viewport.width}x${viewport.height}`;

  scenario(`times are the reader's own once the page is hydrated (${size})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await demo.example());
    const page = await signIn(await profile({ viewport, timezoneId: 'Asia/Kolkata' }), demo.sign_in.approver);
    await page.goto(staged.review_url);
    await page.locator('body[data-hydrated]').waitFor();
    const times = await page.getByRole('time').all();
    const deadlines = [];
    for (const time of times) {
      const machine = (await time.getAttribute('datetime')) ?? '';
      assert.match(machine, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.match((await time.getAttribute('title')) ?? '', / UTC$/, 'UTC stays in the title');
      // In the last days of December a deadline lies in another year, and says so.
      if (new Date(machine).getFullYear() !== new Date().getFullYear()) continue;
      const isDeadline = Math.abs(Date.parse(machine) - Date.parse(staged.review_deadline)) < 1000;
      if (isDeadline) deadlines.push(machine);
      assert.equal(await textOf(time), inKolkata(machine, isDeadline));
    }
    assert.ok(times.length >= 2 && deadlines.length >= 1, `${times.length} times`);
    assert.match(await textOf(page.getByRole('contentinfo')), /Times are yours \(Asia\/(Kolkata|Calcutta)\)/);
  });

  scenario(`a half-written review survives opening evidence and is forgotten once recorded (${size})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await demo.example());
    const page = await signIn(await profile({ viewport }), demo.sign_in.approver);
    await page.goto(staged.review_url);
    await page.locator('body[data-hydrated]').waitFor();
    const request = requestPage(page);
    await request.deny.check();
    await request.why.fill(DRAFT);
    await request.openEvidence('usage-7-days.txt');
    await page.locator('body[data-hydrated]').waitFor();
    assert.equal(await request.why.inputValue(), DRAFT);
    assert.equal(await request.deny.isChecked(), true);
    await request.record.click();
    await request.recorded.waitFor();
    await page.locator('body[data-hydrated]').waitFor();
    const stored = await page.evaluate(() => ({ session: { ...sessionStorage }, local: { ...localStorage } }));
    assert.deepEqual(stored, { session: {}, local: {} }, 'nothing stays behind in the browser');
  });
}

scenario("a draft is its writer's: whoever signs in next in the same tab starts with an empty form", async ({ demo, agent, profile }) => {
  const staged = await agent.stage(await demo.example());
  const page = await signIn(await profile(), demo.sign_in.approver);
  await page.goto(staged.review_url);
  await page.locator('body[data-hydrated]').waitFor();
  const request = requestPage(page);
  await request.approve.check();
  await request.why.fill(DRAFT);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await page.goto(demo.sign_in.second_approver);
  await page.getByRole('button', { name: /^Sign in as / }).click();
  await page.getByRole('heading', { level: 1, name: 'Your turn' }).waitFor();
  await page.goto(staged.review_url);
  await page.locator('body[data-hydrated]').waitFor();
  assert.equal(await request.why.inputValue(), '');
  assert.equal(await request.approve.isChecked(), false, "nobody else's verdict is preselected");
});

scenario('signed out elsewhere, an open page says so and keeps what was typed', async ({ demo, agent, profile }) => {
  const staged = await agent.stage(await demo.example());
  const mia = await profile();
  const page = await signIn(mia, demo.sign_in.approver);
  await page.goto(staged.review_url);
  await page.locator('body[data-hydrated]').waitFor();
  await requestPage(page).why.fill(DRAFT);
  const other = await mia.context.newPage();
  await other.goto('/inbox');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await page.bringToFront();
  const note = page.getByRole('status').filter({ hasText: 'You have been signed out.' });
  await note.getByRole('link', { name: 'Sign in' }).waitFor({ timeout: 12_000 });
  assert.equal(await requestPage(page).why.inputValue(), DRAFT);
  await note.getByRole('link', { name: 'Sign in' }).click();
  assert.equal(new URL(page.url()).searchParams.get('next'), `/requests/${staged.id}`);
});

for (const [what, prepare] of /** @type {const} */ ([
  [
    'without WebAssembly',
    async (/** @type {import('./support/scenario.mjs').Stage} */ { profile }) =>
      profile({ init: () => Reflect.deleteProperty(globalThis, 'WebAssembly') }),
  ],
  [
    'when the WebAssembly file does not arrive',
    async (/** @type {import('./support/scenario.mjs').Stage} */ { profile }) => {
      const mia = await profile();
      await mia.context.route('**/*.wasm', (route) => route.abort());
      mia.tolerate(/\.wasm|Failed to fetch/);
      return mia;
    },
  ],
])) {
  scenario(`everything works ${what}`, async (stage) => {
    const { demo, agent } = stage;
    const staged = await agent.stage(await demo.example());
    const mia = await prepare(stage);
    const page = await signIn(mia, demo.sign_in.approver);
    await page.goto(staged.review_url);
    const request = requestPage(page);
    await request.openEvidence('usage-7-days.txt');
    assert.match(await textOf(page.getByRole('time').first()), / UTC$/);
    mia.expect(422);
    await decide(page, 'approve', '   ');
    await request.problem.filter({ hasText: 'Say why' }).waitFor();
    await decide(page, 'approve', 'Read and fine.');
    await request.recorded.waitFor();
    assert.equal(await page.locator('body[data-hydrated]').count(), 0);
    assert.equal((await agent.read(staged.id)).state, 'approved');
  });
}
