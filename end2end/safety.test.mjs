// @ts-check
/** What an agent writes, what another site sends, and who may not decide. */
import assert from 'node:assert/strict';
import { Agent, digestOf } from './support/agent.mjs';
import { BOTH_EYES, DESKTOP, PHONE, SMALL_PHONE, described } from './support/browser.mjs';
import { escaped, serveElsewhere } from './support/elsewhere.mjs';
import { decide, requestPage, signIn, textOf, withoutBrowserChecks } from './support/person.mjs';
import { scenario } from './support/scenario.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** What an agent might write to be taken for something else; each at most 70 characters. */
const TEXTS = [
  '</textarea><script>globalThis.pwned=1</script>',
  '<img src=x onerror="globalThis.pwned=1">',
  '"\'><svg onload=globalThis.pwned=1>',
  '[ok](javascript:globalThis.pwned=1)<a href="javascript:pwned=1">ok</a>',
  '</bdi></main><form action=/sign-out method=post><button>Approve',
  '<style>*{display:none}</style><base href=//127.0.0.1:9/>',
  '<meta http-equiv=refresh content="0;url=//127.0.0.1:9/">',
  '<iframe src=javascript:pwned=1></iframe>&lt;b&gt;&#x3c;',
  'invoice-\u202Efdp.exe',
  'a\u200Bd\u2060m\uFEFFi\u00ADn',
  '\u2066\u2067left\u2069\u200F',
  '\u001B[2Jgone\u0008\u0007',
  'tag\u{E0041}\u{E007F}\uFE0F\u3164',
];
/** Characters of them that nobody could see: none may reach the page as it is. */
const HIDDEN = /[\u0007\u0008\u001B\u00AD\u200B\u200F\u202E\u2060\u2066-\u2069\u3164\uFE0F\uFEFF]|[\u{E0000}-\u{E007F}]/u;

/**
 * The text as a page must show it: markup as it is, hidden characters as their code points.
 * @param {string} text
 */
function seen(text) {
  return text
    .replace(new RegExp(HIDDEN, 'gu'), (c) => `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`)
    .replace(/ {9,}/g, (run) => `${run.length} spaces`);
}

/**
 * A stage body with a different hostile text, and a number, in every field that takes text.
 * @param {any} example
 * @param {number} round which text goes into which field
 */
function hostile(example, round) {
  /** @type {string[]} */
  const written = [];
  const text = (/** @type {number} */ max = 200) => {
    const number = written.length;
    const value = `T${number}.${TEXTS[(number + round) % TEXTS.length]}`;
    assert.ok(value.length <= max, value);
    written.push(value);
    return value;
  };
  const everything = TEXTS.join('\n');
  const body = structuredClone(example);
  Object.assign(body, {
    parameters: { ...example.parameters, source: text(), destination: text() },
    targets: [text(), text()],
    summary: text(),
    justification: `${text()}\n\n${text()}`,
    ticket: text(),
    risk: { level: 'low', factors: [{ name: text(80), detail: text() }, { name: text(80), detail: text() }] },
    rollback_plan: {
      steps: [text(), text()],
      command: { argv: [text(), text()], cwd: text() },
      point_of_no_return: text(),
      contact: text(),
    },
    command: { argv: ['/bin/x', text(), `${text()}${' '.repeat(4000)}end`], cwd: text(), env: { [text()]: text() } },
  });
  written.push(`${' '.repeat(4000)}end`);
  const media = ['text/plain', 'text/csv', 'text/x-diff', 'application/json', 'text/html'];
  body.evidence = media.map((media_type, index) => ({
    type: example.evidence[index % example.evidence.length].type,
    collected_at: new Date().toISOString(),
    name: text(120),
    media_type,
    source: text(),
    content: `${everything}\nE${index}${' '.repeat(5000)}end\n`,
  }));
  return { body, written };
}

/**
 * Nothing of it became more than text.
 * @param {Page} page
 */
async function assertOnlyText(page) {
  const found = await page.evaluate(() => {
    const all = (/** @type {string} */ selector) => [...document.querySelectorAll(selector)].map((element) => element.outerHTML.slice(0, 120));
    const foreign = [...document.querySelectorAll('form, a')].filter((element) => {
      const to = element instanceof HTMLFormElement ? element.action : /** @type {HTMLAnchorElement} */ (element).href;
      return !to.startsWith(`${location.origin}/`);
    });
    return {
      pwned: 'pwned' in globalThis,
      elements: all('main img, main svg, main style, main script, main meta, main iframe, main object, main embed, base'),
      handlers: all('[onerror], [onload], [onclick], [style]'),
      foreign: foreign.map((element) => element.outerHTML.slice(0, 120)),
      buttons: all('.says button, .says a, .says form, .says input'),
    };
  });
  assert.deepEqual(found, { pwned: false, elements: [], handlers: [], foreign: [], buttons: [] });
  const html = await page.content();
  const raw = HIDDEN.exec(html);
  assert.equal(raw, null, `a hidden character is on the page: …${html.slice((raw?.index ?? 0) - 80, (raw?.index ?? 0) + 20)}`);
}

/**
 * Everything that the page says outside the canonical payload, which repeats it.
 * @param {Page} page
 */
function saidOutsidePayload(page) {
  return page.getByRole('main').evaluate((main) => {
    const copy = /** @type {HTMLElement} */ (main.cloneNode(true));
    copy.querySelector('[aria-label="Canonical payload"]')?.remove();
    return copy.textContent ?? '';
  });
}

/** @param {Page} page */
function width(page) {
  return page.evaluate(() => (document.scrollingElement?.scrollWidth ?? 0) - innerWidth);
}

scenario('G01 G03 G04 G05 G06 G07 G09 E04 whatever an agent writes in any field is shown, as text', async ({ demo, agent, profile }) => {
  const { example } = (await agent.call('GET', '/api/v1/kinds/network.firewall_change')).body;
  const mia = await profile({ viewport: PHONE });
  const page = await signIn(mia, demo.sign_in.approver);
  const request = requestPage(page);
  for (let round = 0; round < TEXTS.length; round += 1) {
    const { body, written } = hostile(example, round);
    const staged = await agent.stage(body);
    await page.goto(staged.review_url);
    await page.locator('body[data-hydrated]').waitFor();
    const said = await saidOutsidePayload(page);
    const missing = written.map(seen).filter((text) => !said.includes(text));
    assert.deepEqual(missing, [], `round ${round}: every field is shown as it was written`);
    await assertOnlyText(page);
    assert.ok((await width(page)) <= 0, 'G05: nothing is pushed off the screen');
    if (round > 0) continue;

    // Evidence of every type: the same, once it is opened.
    for (const [index, { name, content }] of body.evidence.entries()) {
      await page.getByRole('button', { name: `Open ${seen(name)}` }).click();
      const region = page.getByRole('region', { name: new RegExp(`^Content of T`) }).nth(index);
      await region.waitFor();
      const shown = (await region.textContent()) ?? '';
      for (const line of content.split('\n')) {
        // A table has its own idea of quotes and commas.
        if (body.evidence[index].media_type === 'text/csv' && /["',]/.test(line)) continue;
        assert.ok(shown.includes(seen(line)), `${body.evidence[index].media_type}: ${seen(line)} in ${shown}`);
      }
      await assertOnlyText(page);
      assert.ok((await width(page)) <= 0, 'G05: nothing is pushed off the screen');
      // G13, G14: a download is a file of harmless name and no type.
      const download = await page.request.get(`/requests/${staged.id}/evidence/${digestOf(content)}/download`);
      assert.equal(download.headers()['content-type'], 'application/octet-stream');
      assert.equal(download.headers()['x-content-type-options'], 'nosniff');
      const saved = /^attachment; filename="[\w. -]+"; filename\*=UTF-8''([\w.%-]+)$/.exec(download.headers()['content-disposition'] ?? '');
      assert.ok(saved, download.headers()['content-disposition']);
      assert.doesNotMatch(decodeURIComponent(saved[1]), /[\p{Cc}\p{Cf}\p{DI}]/u);
    }
  }

  // What people and executors write is text too, wherever it is read.
  const staged = await agent.stage(hostile(example, 0).body);
  const everything = TEXTS.join(' ');
  await page.goto(staged.review_url);
  await decide(page, 'approve', everything);
  await request.recorded.waitFor();
  const { lease_id } = (await agent.redeem(staged.id, staged.digest, 'k')).body;
  const report = { lease_id, status: 'failed', summary: everything };
  assert.equal((await agent.call('POST', `/api/v1/requests/${staged.id}/outcome`, { body: report })).status, 200);
  await page.reload();
  assert.ok(((await request.outcome.textContent()) ?? '').includes(seen(everything)), 'the outcome');
  assert.equal((await request.timeline.getByRole('blockquote').allTextContents()).filter((quote) => quote === seen(everything)).length, 2);
  await assertOnlyText(page);
  for (const address of ['/inbox', '/history', `/history?q=${encodeURIComponent(TEXTS.slice(0, 2).join(''))}`]) {
    await page.goto(address);
    await assertOnlyText(page);
    assert.ok((await width(page)) <= 0, address);
  }
  assert.equal(await page.getByLabel('Text').inputValue(), TEXTS.slice(0, 2).join(''), 'the search is kept');
  const lena = await signIn(await profile(), demo.sign_in.auditor);
  await lena.goto('/ledger');
  await assertOnlyText(lena);
  assert.ok(((await lena.getByRole('main').textContent()) ?? '').includes(seen(everything)), 'the ledger');
});

scenario('E04 the command that rolls back is shown whole, with its environment and its executable', async ({ demo, agent, profile }) => {
  const body = await demo.example();
  const digest = digestOf('the executable');
  body.rollback_plan.command = {
    argv: ['/opt/undo', '--now'],
    cwd: '/srv/undo',
    env: { LD_PRELOAD: '/tmp/surprise.so' },
    executable_digest: digest,
  };
  const staged = await agent.stage(body);
  const page = await signIn(await profile(), demo.sign_in.approver);
  await page.goto(staged.review_url);
  const plan = ((await page.getByRole('region', { name: 'Rollback plan' }).textContent()) ?? '').replace(/\s/g, '');
  const leaves = ['/opt/undo', '--now', '/srv/undo', 'LD_PRELOAD', '/tmp/surprise.so', digest.replace('sha256:', '')];
  assert.deepEqual(leaves.filter((leaf) => !plan.includes(leaf)), [], 'nothing of it stands only in the canonical payload');
});

for (const eyes of BOTH_EYES) {
  scenario(`G01 what a person types comes back exactly when it is refused (${described(eyes)})`, async ({ demo, agent, profile }) => {
    const staged = await agent.stage(await demo.example());
    const mia = await profile(eyes);
    const page = await signIn(mia, demo.sign_in.approver);
    await page.goto(staged.review_url);
    const request = requestPage(page);
    const typed = `\n\n  </textarea><script>globalThis.pwned=1</script>&amp;&lt; "quoted" 'too'\n\t<!-- ${TEXTS[1]} 李雷 😀  \n`;
    await request.why.fill(typed);
    mia.expect(422);
    await withoutBrowserChecks(page);
    await request.record.click();
    await request.problem.filter({ hasText: 'Choose a verdict' }).waitFor();
    assert.equal(await request.why.inputValue(), typed);
    await assertOnlyText(page);
    assert.equal((await agent.read(staged.id)).state, 'pending');
  });
}

/**
 * A page that tries to act as whoever is signed in with us; it knows all that their form knows.
 * @param {string} target
 * @param {string} id
 * @param {string} evidence
 * @param {[string, string][]} review
 * @param {string} token of somebody else's sign-in link
 */
function evilPage(target, id, evidence, review, token) {
  const form = (/** @type {string} */ name, /** @type {string} */ action, /** @type {[string, string][]} */ fields = [], type = 'application/x-www-form-urlencoded') => `
    <form method="post" action="${target}${action}" enctype="${type}" name="${name}">
      ${fields.map(([field, value]) => `<input type="hidden" name="${escaped(field)}" value="${escaped(value)}">`).join('')}
      <button>${name}</button>
    </form>`;
  const query = new URLSearchParams(review);
  return `<!doctype html><title>Prizes</title><h1>Prizes</h1>
    ${form('review', `/requests/${id}/review`, review)}
    ${form('review-as-text', `/requests/${id}/review`, review, 'text/plain')}
    ${form('review-as-parts', `/requests/${id}/review`, review, 'multipart/form-data')}
    ${form('evidence', `/requests/${id}/evidence/${evidence}/open`)}
    ${form('sign-out', '/sign-out')}
    ${form('sign-in-link', '/sign-in/link', [['token', token]])}
    <a href="${target}/requests/${id}/review?${query}">link</a>
    <img alt="" src="${target}/requests/${id}/review?${query}">
    <iframe title="framed" src="${target}/requests/${id}"></iframe>
    <script>
      if (location.hash) document.forms[location.hash.slice(1)].submit();
      for (const body of [new URLSearchParams(${JSON.stringify(query.toString())}), ${JSON.stringify(query.toString())}]) {
        fetch(${JSON.stringify(`${target}/requests/${id}/review`)}, { method: 'POST', mode: 'no-cors', credentials: 'include', body }).catch(() => {});
      }
      navigator.sendBeacon(${JSON.stringify(`${target}/sign-out`)});
    </script>`;
}

for (const javaScript of [true, false]) {
  scenario(`A11 I10 W03 W04 W07 W10 no other site can decide, open evidence, sign in or sign out for a person (JavaScript ${javaScript ? 'on' : 'off'})`, async ({ demo, agent, profile }) => {
    const body = await demo.example();
    const staged = await agent.stage(body);
    const mia = await profile({ javaScript });
    const page = await signIn(mia, demo.sign_in.approver);
    const [cookie] = await mia.context.cookies();
    assert.deepEqual(
      { name: cookie?.name, secure: cookie?.secure, httpOnly: cookie?.httpOnly, sameSite: cookie?.sameSite },
      { name: '__Host-countersign', secure: true, httpOnly: true, sameSite: 'Lax' },
    );
    await page.goto(staged.review_url);
    const request = requestPage(page);
    await request.approve.check();
    await request.why.fill('Sent from somewhere else.');
    const review = await request.record.evaluate((button) => {
      const { form } = /** @type {HTMLButtonElement} */ (button);
      return /** @type {[string, string][]} */ ([...new FormData(form ?? undefined)]);
    });
    assert.deepEqual(review.map(([name]) => name).sort(), ['digest', 'justification', 'shown', 'verdict']);

    const token = demo.sign_in.second_approver.split('/').at(-1) ?? '';
    const evil = await serveElsewhere(evilPage(demo.url, staged.id, digestOf(body.evidence[0].content), review, token));
    /** @type {string[]} */
    const answers = [];
    mia.context.on('response', (response) => {
      if (response.request().method() === 'POST' && response.url().startsWith(demo.url)) {
        answers.push(`${response.status()} ${new URL(response.url()).pathname}`);
      }
    });
    try {
      for (const origin of [evil.crossSite, evil.sameSite]) {
        mia.origins.add(origin);
        for (const name of ['review', 'review-as-text', 'review-as-parts', 'evidence', 'sign-out', 'sign-in-link']) {
          const bait = await mia.context.newPage();
          const act = async () => {
            if (javaScript) {
              // The page submits the form by itself, as soon as it is read.
              await bait.goto(`${origin}/#${name}`, { waitUntil: 'commit' });
            } else {
              await bait.goto(origin);
              await bait.getByRole('button', { name, exact: true }).click();
            }
          };
          const [sent] = await Promise.all([
            bait.waitForResponse((response) => response.request().isNavigationRequest() && response.request().method() === 'POST'),
            act(),
          ]);
          assert.equal(sent.status(), 403, `${name} from ${origin}`);
          await bait.close();
        }
        const bait = await mia.context.newPage();
        await bait.goto(origin);
        const framed = bait.frames().find((frame) => frame !== bait.mainFrame());
        assert.equal(await framed?.getByRole('heading', { level: 1 }).count(), 0, 'W07: nobody frames the page');
        await bait.getByRole('link', { name: 'link' }).click();
        await bait.getByRole('heading', { level: 1, name: 'Nothing here' }).waitFor();
        await bait.close();
      }
    } finally {
      await evil.close();
    }
    assert.ok(answers.length >= 12 && answers.every((answer) => answer.startsWith('403 ')), answers.join('\n'));
    // The other site's own pages complain of what was kept from them; ours are looked at elsewhere.
    mia.problems.length = 0;

    assert.equal((await agent.read(staged.id)).state, 'pending');
    await page.reload();
    await request.record.waitFor();
    await page.getByRole('link', { name: 'Mia Okafor' }).waitFor();
    const lines = await request.timeline.getByRole('listitem').allTextContents();
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(await textOf(request.evidence), /0 of 2 opened by you/);

    // The same form, sent from our own page, counts.
    await decide(page, 'approve', 'Sent from here.');
    await request.recorded.waitFor();
    assert.equal((await agent.read(staged.id)).state, 'approved');
  });
}

scenario("I1 B07 B02 nobody decides on their own agent's request, nor without being asked", async ({ demo, agent, profile }) => {
  // An administrator lets Nora in, as an approver, and gives her an agent.
  const admin = await signIn(await profile(), demo.sign_in.administrator);
  await admin.getByRole('link', { name: 'People' }).click();
  await admin.getByLabel('Name').fill('Nora Quist');
  await admin.getByRole('checkbox', { name: 'approvers' }).check();
  await admin.getByRole('button', { name: 'Add person' }).click();
  const link = await admin.getByLabel('The secret').textContent();
  await admin.getByRole('link', { name: 'Back to people' }).click();
  await admin.getByRole('link', { name: 'Agents' }).click();
  await admin.getByLabel('Name').fill('night-batch');
  await admin.getByLabel('Owner').selectOption({ label: 'Nora Quist' });
  await admin.getByRole('button', { name: 'Add agent' }).click();
  await admin.locator('summary', { hasText: 'Issue a key for night-batch' }).click();
  await admin.getByRole('button', { name: 'Issue a key for night-batch' }).click();
  const key = await admin.getByLabel('The secret').textContent();
  // A second administrator lets her into the group.
  const sam = await signIn(await profile(), demo.sign_in.second_approver);
  await sam.getByRole('link', { name: /Nora Quist/ }).first().click();
  await decide(sam, 'approve', 'She reviews from now on.');
  await sam.getByText('Carried out.').first().waitFor();
  const body = await demo.example();
  const staged = await new Agent(demo.url, key ?? '').stage(body);

  const nora = await profile();
  const page = await signIn(nora, link ?? '');
  await page.goto(staged.review_url);
  const own = requestPage(page);
  const refusal = own.decision.getByRole('region', { name: 'Not yours to decide' });
  assert.match(await textOf(refusal), /You own this agent/);
  assert.equal(await own.record.count(), 0);

  // A form that she can use, for another request, sent to her own: refused.
  const other = await agent.stage(body);
  await page.goto(other.review_url);
  await own.record.evaluate((button, action) => {
    const { form } = /** @type {HTMLButtonElement} */ (button);
    if (form) form.action = action;
  }, `/requests/${staged.id}/review`);
  nora.expect(403, 409);
  await decide(page, 'approve', 'It is mine, I know it is fine.');
  await refusal.waitFor();
  assert.match(await textOf(own.problem.first()), /Nothing was recorded|was not recorded/);
  assert.equal((await agent.read(other.id)).state, 'pending', 'nor was it recorded for the other');

  // B02: an auditor reads and is asked for nothing.
  const lena = requestPage(await signIn(await profile(), demo.sign_in.auditor));
  await lena.effect.page().goto(other.review_url);
  await lena.decision.getByRole('region', { name: 'Not yours to decide' }).waitFor();
  assert.equal(await lena.record.count(), 0);

  // B03: no key decides.
  const fields = new URLSearchParams({ verdict: 'approve', justification: 'by machine', digest: staged.digest, shown: 'x' });
  for (const credential of [key, demo.agent_key, demo.executor_key, demo.auditor_key]) {
    const answer = await fetch(`${staged.review_url}/review`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${credential}` },
      body: fields,
    });
    assert.equal(answer.status, 303);
    assert.match(answer.headers.get('location') ?? '', /^\/sign-in/);
  }
  assert.equal((await new Agent(demo.url, key ?? '').read(staged.id)).state, 'pending');

  // Somebody else can.
  const mia = await signIn(await profile(), demo.sign_in.approver);
  await mia.goto(staged.review_url);
  assert.match(await textOf(requestPage(mia).decision), /Nora Quist cannot: owns the agent/);
  await decide(mia, 'approve', 'Looks right to me.');
  await requestPage(mia).recorded.waitFor();
});

scenario('R07 an approver without JavaScript reads and decides on the smallest phone', async ({ demo, agent, profile }) => {
  const { example } = (await agent.call('GET', '/api/v1/kinds/db.export')).body;
  const staged = await agent.stage(example);
  const page = await signIn(await profile({ javaScript: false, viewport: SMALL_PHONE }), demo.sign_in.approver);
  await page.goto(staged.review_url);
  const request = requestPage(page);
  await request.openEvidence('columns.csv');
  const thumb = page.getByRole('link', { name: 'Decide', exact: true });
  await thumb.click();
  assert.ok((await width(page)) <= 0);
  await decide(page, 'approve', 'No personal column leaves.');
  await request.recorded.waitFor();
  // The policy asks for a second person: one yes alone releases nothing.
  const { state, requirements } = await agent.read(staged.id);
  assert.equal(state, 'pending');
  assert.deepEqual(requirements.map(({ missing }) => missing), [1]);
});

scenario('G13 a download is no way round the record, for each person by themselves', async ({ demo, agent, profile }) => {
  const body = await demo.example();
  const staged = await agent.stage(body);
  const { name, content } = body.evidence[1];
  const download = `/requests/${staged.id}/evidence/${digestOf(content)}/download`;
  const mia = await signIn(await profile({ viewport: DESKTOP }), demo.sign_in.approver);
  const sam = await signIn(await profile({ viewport: DESKTOP }), demo.sign_in.second_approver);
  assert.equal((await mia.request.get(download)).status(), 404);
  await mia.goto(staged.review_url);
  await requestPage(mia).openEvidence(name);
  assert.equal((await mia.request.get(download)).status(), 200);
  assert.equal((await sam.request.get(download)).status(), 404, 'another opened it, not Sam');
  assert.match(await textOf(requestPage(mia).timeline), new RegExp(`You opened evidence: ${name}`));
  const [link] = await Promise.all([
    mia.waitForEvent('download'),
    mia.getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.equal(link.suggestedFilename(), name);
});
