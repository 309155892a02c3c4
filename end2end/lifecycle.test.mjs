// @ts-check
/** What follows a first look: changes, stops, freezes, and a broken glass. */
import assert from 'node:assert/strict';
import { BOTH_EYES, EVERY_EYES, described } from './support/browser.mjs';
import { decide, freeze, freezeBar, requestPage, requestRow, signIn, signInByPassword, textOf } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

/**
 * Approved, redeemed, and running.
 * @param {import('./support/scenario.mjs').Stage} stage
 * @param {import('playwright-core').Page} page
 */
async function running({ demo, agent }, page) {
  const staged = await agent.stage(await demo.example());
  await page.goto(staged.review_url);
  await decide(page, 'approve', 'Seven days are fine.');
  await requestPage(page).recorded.waitFor();
  const redeemed = await agent.redeem(staged.id, staged.digest, 'once');
  assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
  return { staged, lease_id: redeemed.body.lease_id };
}

for (const eyes of EVERY_EYES) {
  scenario(`E02 I4 changes are requested, made, seen field by field and approved (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const body = await demo.example();
    const staged = await agent.stage(body);
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    const request = requestPage(page);
    await page.goto(staged.review_url);
    const asked = 'Three days are enough.';
    await decide(page, 'request_changes', asked);
    await request.recorded.filter({ hasText: 'The agent reads what you asked for.' }).waitFor();
    const told = await agent.read(staged.id);
    assert.equal(told.state, 'changes_requested');
    assert.equal(told.changes_requested.justification, asked);
    assert.equal(await request.approve.count(), 0, 'it is the agent’s turn');

    body.parameters.extend_days = 3;
    body.targets = [...body.targets, 'mailgrid/keys/\u202eXY'];
    const amended = await agent.amend(staged.id, body);
    assert.equal(amended.revision, 2);
    await page.goto('/inbox');
    const row = requestRow(page, staged.id).filter({ hasText: 'changed since you reviewed it' });
    await row.getByRole('link').click();
    const changes = await textOf(request.changes);
    assert.match(changes, /Changed since you reviewed revision 1/);
    assert.ok(changes.includes(asked), changes);
    assert.match(changes, /parameters › extend_days.*Before: .*After: 3/);
    assert.match(changes, /targets.*New: .*U\+202E/);
    await decide(page, 'approve', 'Three days it is.');
    await request.recorded.waitFor();
    const approved = await agent.read(staged.id);
    assert.equal(approved.state, 'approved');
    assert.equal(approved.digest, amended.digest);
    const old = await agent.redeem(staged.id, staged.digest, 'old');
    assert.equal(old.body.code, 'digest_mismatch', 'what was seen first is not what is released');
  });

  scenario(`a freeze stops the release, stands on every page, and ends by an administrator (${described(eyes)})`, async (stage) => {
    const { demo, agent, profile } = stage;
    const staged = await agent.stage(await demo.example());
    const mia = await signIn(await profile(eyes), demo.sign_in.approver);
    await mia.goto(staged.review_url);
    await decide(mia, 'approve', 'Seven days are fine.');
    await requestPage(mia).recorded.waitFor();
    await freeze(mia, 'all', 'Goes on', 'SEC-1431: a key may have leaked.');
    const refused = await agent.redeem(staged.id, staged.digest, 'once');
    assert.equal(refused.body.code, 'frozen');
    for (const path of ['/inbox', '/history', '/settings', staged.review_url]) {
      await mia.goto(path);
      assert.match(await textOf(freezeBar(mia)), /Frozen: everything/, path);
      assert.ok(await freezeBar(mia).isVisible(), path);
    }
    assert.match(await textOf(mia.getByRole('main')), /A freeze covers this: everything/);

    const ada = await signIn(await profile(eyes), demo.sign_in.administrator);
    await freezeBar(ada).getByRole('link').click();
    const frozen = ada.getByRole('region', { name: 'Frozen' });
    await frozen.getByText('End this freeze').first().click();
    await frozen.getByRole('textbox', { name: 'Why' }).fill('The key is rotated.');
    await frozen.getByRole('button', { name: /^End this freeze/ }).click();
    await ada.getByText('Nothing is frozen.').waitFor();
    assert.equal(await freezeBar(ada).count(), 0);
    const redeemed = await agent.redeem(staged.id, staged.digest, 'once');
    assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
  });
}

for (const eyes of BOTH_EYES) {
  scenario(`R08 I3 an approval is revoked with a reason before it is used (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await demo.example());
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    const request = requestPage(page);
    await page.goto(staged.review_url);
    await decide(page, 'approve', 'Seven days are fine.');
    await request.recorded.waitFor();
    const deed = await request.open('Revoke the release');
    await deed.getByRole('textbox', { name: 'Why' }).fill('The vendor called: the key leaked.');
    await deed.getByRole('button', { name: 'Revoke the release' }).click();
    await request.recorded.filter({ hasText: 'You revoked the release. Nothing will run.' }).waitFor();
    const refused = await agent.redeem(staged.id, staged.digest, 'once');
    assert.equal(refused.body.state, 'revoked');
    assert.match(await textOf(request.whatHappened), /Revoked by you/);
    assert.match(await textOf(request.timeline), /You revoked the release.*the key leaked/);
  });

  scenario(`a running execution is told to halt, and how it ended stands on the page (${described(eyes)})`, async (stage) => {
    const { agent, profile, demo } = stage;
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    const { staged, lease_id } = await running(stage, page);
    const request = requestPage(page);
    await page.reload();
    const deed = await request.open('Halt it');
    await deed.getByRole('textbox', { name: 'Why' }).fill('It is the wrong key.');
    await deed.getByRole('button', { name: 'Halt it' }).click();
    await request.recorded.waitFor();
    assert.match(await textOf(page.getByRole('region', { name: 'Asked to halt' })), /Asked by you/);
    const at = `/api/v1/requests/${staged.id}`;
    const beat = await agent.call('POST', `${at}/heartbeat`, { body: { lease_id } });
    assert.equal(beat.body.signal, 'halt');
    const report = { lease_id, status: 'halted', summary: 'Stopped before the second call.' };
    assert.equal((await agent.call('POST', `${at}/outcome`, { body: report })).status, 200);
    await page.reload();
    assert.match(await textOf(request.outcome), /halted, says the executor ?Stopped before/);
    const rollback = { lease_id, status: 'rolled_back', summary: 'The old expiry is back.' };
    assert.equal((await agent.call('POST', `${at}/rollback`, { body: rollback })).status, 200);
    await page.reload();
    assert.match(await textOf(page.getByRole('region', { name: 'Rollback', exact: true })), /it was rolled back/);
    assert.equal(await page.getByRole('region', { name: 'Asked to halt' }).count(), 0);
  });

  scenario(`B10 I1 one person breaks the glass, it is marked, and a second one looks at it (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const body = await demo.example();
    body.environment = 'production';
    const staged = await agent.stage(body);
    const priya = await signInByPassword(await profile(eyes), 'Priya Nair', demo.password);
    const request = requestPage(priya);
    await priya.goto(staged.review_url);
    const deed = await request.open('Break the glass');
    const said = await textOf(deed);
    for (const consequence of [/You approve alone/, /marked for ever/, /72 hours/, /lose the right/]) assert.match(said, consequence);
    await deed.getByRole('textbox', { name: 'Why it cannot wait' }).fill('The key dies in ten minutes.');
    await deed.getByRole('button', { name: 'Approve alone' }).click();
    await request.recorded.filter({ hasText: 'You approved it alone.' }).waitFor();
    assert.equal((await agent.read(staged.id)).state, 'approved');
    assert.match(await textOf(request.brokenGlass), /you approved this alone/i);

    const sam = await signIn(await profile(eyes), demo.sign_in.second_approver);
    const row = requestRow(sam, staged.id);
    assert.match(await textOf(row), /Broken glass.*waits for your second look/);
    await row.getByRole('link').click();
    const second = requestPage(sam).brokenGlass;
    await second.getByRole('radio', { name: 'It was', exact: true }).check();
    await second.getByRole('textbox', { name: 'Why' }).fill('Nobody else was awake, and the key was about to die.');
    await second.getByRole('button', { name: 'Record second review' }).click();
    await requestPage(sam).recorded.filter({ hasText: 'justified' }).waitFor();
    assert.match(await textOf(second), /You ?looked at it as the second person/i);
    await sam.getByRole('link', { name: 'History' }).click();
    const past = requestRow(sam, staged.id);
    assert.match(await textOf(past), /Broken glass/, 'marked for ever');
  });

  scenario(`whoever passes on leaves it to others, and may change their mind (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await demo.example());
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    const request = requestPage(page);
    await page.goto(staged.review_url);
    await decide(page, 'pass', 'Not my vendor.');
    await request.recorded.filter({ hasText: 'You passed it on.' }).waitFor();
    assert.equal((await agent.read(staged.id)).state, 'pending');
    await request.open('Change your mind');
    await decide(page, 'approve', 'Asked the vendor owner: fine.');
    await request.recorded.waitFor();
    assert.equal((await agent.read(staged.id)).state, 'approved');
  });
}
