// @ts-check
/** Changes to the house itself: its policy, its kinds, its groups. Each takes a second administrator. */
import assert from 'node:assert/strict';
import { BOTH_EYES, described } from './support/browser.mjs';
import { decide, requestPage, requestRow, signIn, textOf } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

/** @typedef {import('playwright-core').Page} Page */

/**
 * Where a part of a text starts, as editors count.
 * @param {string} text
 * @param {string} part
 */
function lineOf(text, part) {
  return text.slice(0, text.indexOf(part)).split('\n').length;
}

/**
 * The second administrator finds what the first proposed in the inbox, and approves it.
 * @param {import('./support/scenario.mjs').Stage} stage
 * @param {import('./support/browser.mjs').Eyes} eyes
 * @param {Page} first on the page of the request
 * @param {(page: Page) => Promise<void>} look at what it shows, before deciding
 */
async function secondApproves({ demo, profile }, eyes, first, look) {
  await first.getByRole('complementary', { name: 'Decision' }).waitFor();
  const own = requestPage(first);
  assert.equal(await own.approve.count(), 0, 'I1: whoever proposes it does not decide on it');
  const id = new URL(first.url()).pathname.split('/').at(-1) ?? '';
  const sam = await signIn(await profile(eyes), demo.sign_in.second_approver);
  await requestRow(sam, id).getByRole('link').click();
  await requestPage(sam).approve.waitFor();
  assert.equal(await requestPage(sam).request_changes.count(), 0, 'no agent could change it');
  await look(sam);
  await decide(sam, 'approve', 'As agreed in the access review.');
  await requestPage(sam).recorded.waitFor();
  assert.match(await textOf(requestPage(sam).whatHappened), /It holds since .* Approved by you\./);
}

for (const eyes of BOTH_EYES) {
  scenario(`I1 I5 a policy is tried on past requests, refused with line and column, proposed, approved, and holds (${described(eyes)})`, async (stage) => {
    const { demo, agent, profile } = stage;
    const administrator = await profile(eyes);
    const ada = await signIn(administrator, demo.sign_in.administrator);
    await ada.goto('/policy');
    const draft = ada.getByLabel('The whole policy, in Cedar');
    const text = await draft.inputValue();

    // Wrong: where, and what. What was typed stays, and nothing was changed.
    administrator.expect(422);
    const wrong = text.replace('@quorum("1")', '@quorum("one")');
    await draft.fill(wrong);
    await ada.getByRole('button', { name: 'Try it on past requests' }).click();
    const refusal = ada.getByRole('alert').filter({ hasText: 'Nothing was changed.' });
    await refusal.waitFor();
    const line = lineOf(wrong, '@quorum("one")');
    assert.match(await textOf(refusal), new RegExp(`line ${line}, column 1: .*need\\.one.*@quorum\\("one"\\)`));
    assert.equal(await draft.inputValue(), wrong);

    // Right: what it would have asked of the requests that there were.
    const stricter = text.replace('@quorum("1")', '@quorum("2")').replace('needs one person")', 'needs two people")');
    await draft.fill(stricter);
    await ada.getByRole('button', { name: 'Try it on past requests' }).click();
    const tried = ada.getByRole('region', { name: 'Tried on past requests' });
    await tried.waitFor();
    assert.match(await textOf(tried), /would have fared differently; none would have needed fewer people\. Nothing was changed\./);
    assert.match(await textOf(tried), /1 of approvers ?2 of approvers/);
    assert.equal(await draft.inputValue(), stricter);

    await ada.getByRole('textbox', { name: 'Why' }).fill('Two pairs of eyes from now on.');
    await ada.getByRole('button', { name: 'Propose this policy' }).click();
    await secondApproves(stage, eyes, ada, async (sam) => {
      const changes = await textOf(sam.getByRole('region', { name: 'What would change' }));
      assert.match(changes, /Gone: @quorum\("1"\).*New: @quorum\("2"\).*\d+ lines as before/);
      const asked = await textOf(sam.getByRole('region', { name: 'What it would have asked' }));
      assert.match(asked, /would have fared differently/);
    });
    await ada.goto('/policy');
    await ada.getByRole('heading', { name: 'Version 2 is in force' }).waitFor();
    const staged = await agent.stage(await demo.example());
    assert.deepEqual(staged.requirements.map((/** @type {any} */ { group, seats }) => [group, seats]), [['approvers', 2]]);
  });

  scenario(`B07 a kind is changed from what it is, field by field, and what was staged keeps its version (${described(eyes)})`, async (stage) => {
    const { demo, agent, profile } = stage;
    const staged = await agent.stage(await demo.example());
    const administrator = await profile(eyes);
    const ada = await signIn(administrator, demo.sign_in.administrator);
    await ada.goto('/kinds');
    await ada.getByRole('link', { name: 'Change it (vendor.key_extend)' }).click();
    const draft = ada.getByLabel('The whole kind, as JSON');
    const kind = JSON.parse(await draft.inputValue());

    administrator.expect(422);
    await draft.fill(JSON.stringify({ ...kind, review_deadline_s: 1 }, null, 2));
    await ada.getByRole('textbox', { name: 'Why' }).fill('Nobody needs two days for this.');
    await ada.getByRole('button', { name: 'Propose this kind' }).click();
    const refusal = ada.getByRole('alert').filter({ hasText: 'Nothing was changed.' });
    await refusal.waitFor();
    assert.match(await textOf(refusal), /\/review_deadline_s/);

    const shorter = { ...kind, review_deadline_s: kind.review_deadline_s / 2 };
    await draft.fill(JSON.stringify(shorter, null, 2));
    await ada.getByRole('button', { name: 'Propose this kind' }).click();
    await secondApproves(stage, eyes, ada, async (sam) => {
      const changes = sam.getByRole('region', { name: 'What would change' });
      const fields = await changes.getByRole('term').allTextContents();
      assert.deepEqual(fields, ['review_deadline_s'], 'nothing else is changed');
      const said = (await textOf(changes)).replaceAll(',', '');
      assert.match(said, new RegExp(`Before: ?${kind.review_deadline_s}.*After: ?${shorter.review_deadline_s}`));
    });
    await ada.goto('/kinds');
    const card = ada.getByRole('region', { name: 'Extension of a vendor key' });
    assert.match(await textOf(card), /vendor\.key_extend · version 2/);
    assert.equal((await agent.read(staged.id)).kind.version, 1);
    assert.equal((await agent.stage(await demo.example())).kind.version, 2);
  });

  scenario(`I1 B07 somebody joins a group once a second administrator agrees, not before (${described(eyes)})`, async (stage) => {
    const { demo, profile } = stage;
    const ada = await signIn(await profile(eyes), demo.sign_in.administrator);
    await ada.goto('/people');
    const row = ada.getByRole('region', { name: 'Everybody' }).locator('tr').filter({ hasText: 'Mia Okafor' });
    const form = ada.getByRole('region', { name: 'Change who is in a group' });
    await form.getByLabel('Person').selectOption({ label: 'Mia Okafor' });
    await form.getByRole('combobox', { name: 'Group' }).fill('break-glass');
    await form.getByRole('radio', { name: 'Add to the group' }).check();
    await form.getByRole('textbox', { name: 'Why' }).fill('She is on the rota from Monday.');
    await form.getByRole('button', { name: 'Propose this change' }).click();
    await secondApproves(stage, eyes, ada, async () => {
      await ada.goto('/people');
      assert.doesNotMatch(await textOf(row), /break-glass/, 'not yet');
      await ada.goBack();
    });
    await ada.goto('/people');
    assert.match(await textOf(row), /approvers, break-glass/);
  });
}
