// @ts-check
/** From staging to the outcome, through the agent's API and a person's browser. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { digestOf, effectOf } from './support/agent.mjs';
import { DESKTOP, EVERY_EYES, described } from './support/browser.mjs';
import { within } from './support/demo.mjs';
import { decide, requestPage, signIn, textOf, withoutBrowserChecks } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

/**
 * The example, made unlike anything in the demo.
 * @param {import('./support/demo.mjs').Demo} demo
 */
async function ownBody(demo) {
  const body = await demo.example();
  body.parameters.key_id = 'MG-7001';
  body.targets = ['mailgrid/keys/MG-7001'];
  return body;
}

/** The leaves of a JSON value, as text. */
function leaves(/** @type {any} */ value) {
  /** @type {string[]} */
  const found = [];
  JSON.stringify(value, (_, child) => {
    if (child === null || typeof child !== 'object') found.push(String(child));
    return child;
  });
  return found;
}

for (const eyes of EVERY_EYES) {
  scenario(`I1 I3 I4 I11 W01 an action is staged, read, approved, released once and reported (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const body = await ownBody(demo);
    const staged = await agent.stage(body);
    const { effect: template } = (await agent.call('GET', `/api/v1/kinds/${body.kind}`)).body;
    const effect = effectOf(template, body.parameters);
    const early = await agent.redeem(staged.id, staged.digest, 'early');
    assert.equal(early.status, 409, 'I1: nothing is released before a decision');
    const decided = agent.decided(staged.id);

    // W01: whatever reads the link uses nothing up.
    const link = demo.sign_in.approver;
    for (const method of ['HEAD', 'GET']) {
      const read = await fetch(link, { method, headers: { 'sec-purpose': 'prefetch' } });
      assert.equal(read.status, 200);
      assert.equal(read.headers.get('set-cookie'), null, 'reading a link signs nobody in');
    }
    const mia = await profile(eyes);
    const page = await signIn(mia, link);
    const request = requestPage(page);
    const main = page.getByRole('main');

    // The request is under 'Your turn', as the same sentence that the kind makes.
    const row = main.getByRole('list').first().getByRole('link', { name: effect, exact: true });
    await row.click();
    assert.equal(await textOf(request.effect), effect);
    assert.equal(new URL(page.url()).pathname, `/requests/${staged.id}`);
    assert.ok((await textOf(main)).includes(`code ${staged.binding_code}`), 'the binding code');

    // I4: the digest and every leaf of what will run; the canonical payload hashes to the digest.
    const action = (await request.action.textContent()) ?? '';
    const squeezed = action.replace(/\s/g, '');
    assert.ok(squeezed.includes(staged.digest.replace('sha256:', '')), 'the digest of the API');
    const { parameters, targets, environment, command } = body;
    for (const leaf of leaves({ parameters, targets, environment, command })) {
      assert.ok(action.includes(leaf), `E04: ${leaf} is on the page`);
    }
    await request.action.getByText('Whole canonical payload').click();
    const payload = page.getByRole('region', { name: 'Canonical payload' });
    await payload.waitFor();
    const canonical = ((await payload.textContent()) ?? '').trim();
    const hash = createHash('sha256').update(canonical).digest('hex');
    assert.equal(`sha256:${hash}`, staged.digest, 'what is shown hashes to what is approved');

    // Evidence: opening is recorded, and then the content is there.
    const [first, second] = body.evidence;
    const download = `/requests/${staged.id}/evidence/${digestOf(first.content)}/download`;
    assert.equal((await page.request.get(download)).status(), 404, 'no download before opening');
    await request.openEvidence(first.name);
    const content = page.getByRole('region', { name: `Content of ${first.name}` });
    assert.equal(((await content.textContent()) ?? '').trim(), first.content.trim());
    assert.ok((await textOf(request.evidence)).includes('1 of 2 opened by you'));
    assert.equal(await page.getByRole('region', { name: `Content of ${second.name}` }).count(), 0);
    const file = await page.request.get(download);
    assert.equal(file.status(), 200);
    assert.equal(await file.text(), first.content, 'the download is the evidence, byte by byte');

    // No verdict: the browser says so, the text stays, nothing is sent.
    assert.equal(await request.approve.isChecked(), false, 'no verdict is preselected');
    assert.equal(await request.deny.isChecked(), false, 'no verdict is preselected');
    await request.why.fill('The successor is on its way.');
    await request.record.click();
    const complaint = (/** @type {any} */ field) => field.validationMessage;
    assert.notEqual(await request.approve.evaluate(complaint), '', 'the browser asks for a verdict');
    assert.equal(await request.why.inputValue(), 'The successor is on its way.');

    // A browser that checks nothing: the server says so, and the text is kept.
    mia.expect(422);
    await withoutBrowserChecks(page);
    await request.record.click();
    await request.problem.filter({ hasText: 'Choose a verdict' }).waitFor();
    assert.equal(await request.why.inputValue(), 'The successor is on its way.');
    await withoutBrowserChecks(page);
    await decide(page, 'approve', '   ');
    await request.problem.filter({ hasText: 'Say why' }).waitFor();
    assert.equal(await request.approve.isChecked(), true, 'the chosen verdict is kept');
    assert.equal((await agent.read(staged.id)).state, 'pending', 'nothing was recorded');

    // Approved: the agent that waits hears it.
    await decide(page, 'approve', 'Checked against INT-871; seven days are enough.');
    await request.recorded.waitFor();
    const answer = await within(10_000, 'the long poll to hear of it', () => decided);
    assert.equal(answer.state, 'approved');
    assert.equal(answer.digest, staged.digest);

    assert.match(await textOf(request.whatHappened), /Approved by you/);
    assert.equal(await request.record.count(), 0, 'there is nothing left to decide');

    // I3, I11: one release; a retry gets the same token, anybody else the time of the first.
    const wrong = await agent.redeem(staged.id, `sha256:${'0'.repeat(64)}`, 'once');
    assert.equal(wrong.status, 409);
    const redeemed = await agent.redeem(staged.id, staged.digest, 'once');
    assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
    const retried = await agent.redeem(staged.id, staged.digest, 'once');
    assert.equal(retried.body.release_token, redeemed.body.release_token);
    assert.equal(retried.headers.get('idempotency-replayed'), 'true');
    const again = await agent.redeem(staged.id, staged.digest, 'twice');
    assert.equal(again.status, 409);
    assert.equal(again.body.code, 'already_redeemed');
    assert.equal(again.body.redeemed_at, (await agent.read(staged.id)).redeemed_at);

    const report = { lease_id: redeemed.body.lease_id, status: 'succeeded', summary: 'Extended to 12,240 minutes.' };
    const reported = await agent.call('POST', `/api/v1/requests/${staged.id}/outcome`, { body: report });
    assert.equal(reported.status, 200, JSON.stringify(reported.body));
    await page.reload();
    assert.match(await textOf(request.outcome), /succeeded, says the executor ?Extended to 12,240 minutes\./);
    const lines = await request.timeline.getByRole('listitem').allTextContents();
    const told = [
      /demo-agent staged revision 1/,
      /You opened evidence: key-before-after\.json/,
      /You approved.*seven days are enough/s,
      /Every review is in: approved/,
      /demo-agent tried to redeem and was refused/,
      /demo-agent redeemed the release/,
      /demo-agent tried to redeem and was refused/,
      /demo-agent reported that it succeeded.*12,240 minutes/s,
    ];
    assert.equal(lines.filter((line) => /You approved/.test(line)).length, 1, 'one approval, once');
    for (const [index, line] of told.entries()) {
      assert.ok(lines.some((text) => line.test(text)), `line ${index}: ${line} in ${lines.join('\n')}`);
    }

    await page.getByRole('link', { name: 'History' }).click();
    const past = main.getByRole('listitem').filter({ has: page.getByRole('link', { name: effect, exact: true }) });
    assert.match(await textOf(past), /approved by you, succeeded/);

    // Signed out, nothing of it can be read any more in this browser.
    await page.goto(`/requests/${staged.id}`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    assert.ok(!(await page.content()).includes('MG-7001'), 'the back button shows no request');
    const spent = await fetch(link);
    assert.equal(spent.status, 410, 'the link was for once');
  });

  scenario(`I2 I5 W13 a denial ends the request, once, and the agent reads why (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await ownBody(demo));
    const decided = agent.decided(staged.id);
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    const request = requestPage(page);
    await page.goto(staged.review_url);
    const why = 'Not before the proxy change is out. Stage it again on Tuesday.';
    await decide(page, 'deny', why);
    await request.recorded.filter({ hasText: 'It is denied. Nothing will run.' }).waitFor();
    const answer = await within(10_000, 'the long poll to hear of it', () => decided);
    assert.equal(answer.state, 'denied');
    assert.equal(answer.denial.justification, why);
    const redeem = await agent.redeem(staged.id, staged.digest, 'k');
    assert.equal(redeem.status, 409);
    assert.equal(redeem.body.state, 'denied');

    // W13: neither reloading nor going back offers or makes a second decision.
    await page.reload();
    await page.goBack();
    await request.whatHappened.waitFor();
    assert.equal(new URL(page.url()).pathname, `/requests/${staged.id}`);
    assert.equal(await request.record.count(), 0, 'there is nothing left to decide');
    assert.match(await textOf(request.whatHappened), /Denied by you/);
    const lines = await request.timeline.getByRole('listitem').allTextContents();
    const denials = lines.filter((line) => /denied/.test(line));
    assert.equal(denials.length, 1, `one denial is one line: ${denials.join(' / ')}`);
    assert.ok(denials[0]?.includes(why));
  });
}

for (const eyes of EVERY_EYES.filter(({ viewport }) => viewport === DESKTOP)) {
  scenario(`W13 only a recorded review says 'Recorded', whatever the address says (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await ownBody(demo));
    const page = await signIn(await profile(eyes), demo.sign_in.approver);
    await page.goto(`${staged.review_url}?recorded=1`);
    const request = requestPage(page);
    await request.record.waitFor();
    assert.equal(await request.recorded.count(), 0, 'nobody has reviewed this request');
  });
}

scenario('A02 W09 signing out ends the session, for its cookie too, and takes the cookie out of the browser', async ({ demo, profile }) => {
  const mia = await profile();
  const page = await signIn(mia, demo.sign_in.approver);
  const [cookie] = await mia.context.cookies();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  const replayed = await fetch(`${demo.url}/inbox`, {
    redirect: 'manual',
    headers: { cookie: `${cookie?.name}=${cookie?.value}` },
  });
  assert.equal(replayed.status, 303, 'the old cookie opens nothing');
  assert.deepEqual((await mia.context.cookies()).map(({ name }) => name), [], 'no cookie is left behind');
});

scenario('W12 after signing in with a password people land where they wanted, and only on our pages', async ({ demo, profile }) => {
  const mia = await profile();
  const page = await signIn(mia, demo.sign_in.approver);
  await page.getByRole('link', { name: 'Mia Okafor' }).click();
  await page.getByLabel('Current password').fill(demo.password);
  await page.getByLabel('New password').fill('plum tram seven lamps');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor();
  for (const [next, lands] of [
    ['/history?q=mailgrid', '/history'],
    ['//127.0.0.1:9/evil', '/inbox'],
    ['/\\127.0.0.1:9', '/inbox'],
    ['javascript:alert(1)', '/inbox'],
  ]) {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await page.goto(`/sign-in?next=${encodeURIComponent(next ?? '')}`);
    await page.getByLabel('Name').fill('mia okafor');
    await page.getByLabel('Password').fill('plum tram seven lamps');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    assert.equal(new URL(page.url()).pathname, lands, `next=${next}`);
  }
  mia.expect(401);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Name').fill('Mia Okafor');
  await page.getByLabel('Password').fill('plum tram seven lamp');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'The name or the password is wrong.' }).waitFor();
  assert.equal(await page.getByLabel('Name').inputValue(), 'Mia Okafor');
});
