// @ts-check
/** Two people, one request: the second is told what the first did, and loses no word. */
import assert from 'node:assert/strict';
import { BOTH_EYES, DESKTOP, EVERY_EYES, PHONE, described } from './support/browser.mjs';
import { decide, requestPage, signIn, textOf } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

const TYPED = 'Looked at the usage log: <319 calls>, all of them expected.\nFine by me.';

/**
 * Two approvers with the same request open, before either has decided.
 * @param {import('./support/scenario.mjs').Stage} stage
 * @param {import('./support/browser.mjs').Eyes} eyes
 */
async function bothLook({ demo, agent, profile }, eyes) {
  const staged = await agent.stage(await demo.example());
  const profiles = [await profile(eyes), await profile(eyes)];
  const links = [demo.sign_in.approver, demo.sign_in.second_approver];
  const [first, second] = await Promise.all(
    profiles.map(async (someone, index) => {
      const page = await signIn(someone, links[index] ?? '');
      await page.goto(staged.review_url);
      return page;
    }),
  );
  if (!first || !second || !profiles[1]) throw new Error('two people look');
  return { staged, first, second, secondProfile: profiles[1] };
}

for (const eyes of EVERY_EYES) {
  scenario(`I2 C08 E01 after a denial the second approver's approval is refused, explained and kept (${described(eyes)})`, async (stage) => {
    const { staged, first, second, secondProfile } = await bothLook(stage, eyes);
    const late = requestPage(second);
    await late.approve.check();
    await late.why.fill(TYPED);
    await decide(first, 'deny', 'The proxy change is late.');
    await requestPage(first).recorded.waitFor();

    secondProfile.expect(409);
    const refused = second.waitForResponse((response) => response.request().method() === 'POST');
    await late.record.click();
    assert.equal((await refused).status(), 409);
    await late.whatHappened.waitFor();
    const said = await textOf(late.problem);
    assert.match(said, /Somebody denied this request meanwhile/);
    assert.match(said, /Your decision was not recorded/);
    const kept = await late.whatHappened.getByRole('blockquote').textContent();
    assert.equal((kept ?? '').replaceAll('\r', '').replaceAll('U+000D', ''), TYPED, 'every typed word is kept');
    assert.match(await textOf(late.whatHappened), /Denied by Mia Okafor/);
    const main = await textOf(second.getByRole('main'));
    assert.doesNotMatch(main, /\bapproved\b/i, 'nothing claims an approval');
    assert.equal(await late.record.count(), 0);

    const request = await stage.agent.read(staged.id);
    assert.equal(request.state, 'denied');
    assert.equal(request.denial.justification, 'The proxy change is late.');
    assert.equal((await stage.agent.redeem(staged.id, staged.digest, 'k')).status, 409);
  });
}

for (const eyes of BOTH_EYES) {
  scenario(`I2 after an approval the second approver's denial is refused, explained and kept (${described(eyes)})`, async (stage) => {
    const { staged, first, second, secondProfile } = await bothLook(stage, eyes);
    await decide(first, 'approve', 'Seven days are fine.');
    await requestPage(first).recorded.waitFor();

    secondProfile.expect(409);
    await decide(second, 'deny', TYPED);
    const late = requestPage(second);
    await late.whatHappened.waitFor();
    assert.match(await textOf(late.problem), /This request was approved meanwhile.*was not recorded/);
    assert.ok((await textOf(late.whatHappened)).includes('all of them expected.'));
    const lines = await late.timeline.getByRole('listitem').allTextContents();
    assert.ok(!lines.some((line) => /denied/.test(line)), lines.join('\n'));
    assert.equal((await stage.agent.read(staged.id)).state, 'approved');
  });
}

scenario('E01 W13 an open page tells within seconds that the request changed, and takes the button away (JavaScript on, both screens)', async (stage) => {
  const { first, second, secondProfile } = await bothLook(stage, { javaScript: true, viewport: DESKTOP });
  const storageState = await secondProfile.context.storageState();
  const phone = await (await stage.profile({ viewport: PHONE, storageState })).context.newPage();
  await phone.goto(second.url());
  const changed = (/** @type {import('playwright-core').Page} */ page) =>
    page.getByRole('status').filter({ hasText: 'This request changed since you opened it.' });
  const stale = (/** @type {import('playwright-core').Page} */ page) =>
    requestPage(page).decision.getByRole('paragraph').filter({ hasText: 'Reload the page to decide' });

  // While nothing happens nothing is said: the page asks, hears an answer, and asks again.
  await Promise.all([second, phone].map(async (page) => {
    await page.locator('body[data-hydrated]').waitFor();
    await requestPage(page).approve.check();
    await requestPage(page).why.fill(TYPED);
    const asks = (/** @type {import('playwright-core').Request} */ request) => request.url().endsWith('/version');
    await page.waitForResponse((response) => asks(response.request()));
    await page.waitForRequest(asks);
    assert.equal(await changed(page).count(), 0, 'the request has not changed');
    assert.equal(await stale(page).count(), 0, 'the request has not changed');
    assert.equal(await requestPage(page).record.isEnabled(), true);
  }));

  await decide(first, 'deny', 'The proxy change is late.');
  await requestPage(first).recorded.waitFor();
  await Promise.all([second, phone].map(async (page) => {
    const late = requestPage(page);
    await changed(page).getByRole('link', { name: 'Reload' }).waitFor({ timeout: 12_000 });
    await stale(page).waitFor();
    assert.equal(await late.record.isDisabled(), true);
    assert.equal(await late.why.inputValue(), TYPED, 'what was typed stays');
    await changed(page).getByRole('link', { name: 'Reload' }).click();
    await late.whatHappened.waitFor();
    assert.match(await textOf(late.whatHappened), /Denied by Mia Okafor/);
  }));
});

scenario('R03 the inbox tells that it changed and moves no row by itself', async ({ demo, agent, profile }) => {
  const page = await signIn(await profile(), demo.sign_in.approver);
  await page.locator('body[data-hydrated]').waitFor();
  const rows = () => page.getByRole('main').getByRole('listitem').allTextContents();
  const before = await rows();
  await agent.stage(await demo.example());
  const changed = page.getByRole('status').filter({ hasText: 'The inbox changed.' });
  await changed.getByRole('link', { name: 'Show' }).waitFor({ timeout: 12_000 });
  assert.equal((await rows()).length, before.length, 'no row moves under the pointer');
  await changed.getByRole('link', { name: 'Show' }).click();
  await changed.waitFor({ state: 'detached' });
  assert.equal((await rows()).length, before.length + 1);
});
