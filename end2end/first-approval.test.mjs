// @ts-check
/** The first approval, as the demo's own output tells a newcomer to do it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { decide, requestPage, signIn } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

const run = promisify(execFile);

scenario('the printed command stages a request that can be approved in the browser and redeemed', async ({ t, demo, agent, profile }) => {
  const begun = performance.now();
  const { stdout } = await run('bash', ['-c', demo.example_curl]);
  const staged = JSON.parse(stdout);
  assert.equal(staged.state, 'pending', stdout);
  const page = await signIn(await profile(), demo.sign_in.approver);
  await page.goto(staged.review_url);
  await decide(page, 'approve', 'My first approval.');
  await requestPage(page).recorded.waitFor();
  const redeemed = await agent.redeem(staged.id, staged.digest, 'first');
  assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
  assert.match(redeemed.body.release_token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  t.diagnostic(`first approval: ${Math.round(performance.now() - begun)} ms from the command to the release token`);
});
